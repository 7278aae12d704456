import type { Engine } from "../../engine/engine.js";
import { gramSession } from "../../engine/gram-session.js";
import { solveRidge } from "../../linalg/ridge.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";

const blockContexts = 2048;
/** Share of the mean second moment that is added to each: against what few contexts cannot tell. */
const ridge = 1e-6;

/**
 * The direction in which the h_t are nearest to 1: minimises mean_t (v.h_t - 1)^2 over v that is zero outside the coordinates
 * given. @param coordinates ascending; undefined for all @returns v [d]
 */
export async function nearlyConstant(
  contexts: StoredContexts,
  engine: Engine,
  coordinates: Int32Array | undefined,
): Promise<Float64Array> {
  const { hiddenSize: d, count } = contexts;
  const used = coordinates ?? Int32Array.from({ length: d }, (_, i) => i);
  const k = used.length;
  const mean = new Float64Array(k);
  const second = new Float64Array(k * k);
  const { gram, release } = await gramSession(engine);
  try {
    for (let start = 0; start < count; start += blockContexts) {
      const n = Math.min(blockContexts, count - start);
      const hidden = await contexts.read(start, start + n);
      const block = new Float64Array(n * k);
      for (let t = 0; t < n; t++) {
        for (let j = 0; j < k; j++) {
          const value = hidden[t * d + used[j]!]!;
          block[t * k + j] = value;
          mean[j]! += value / count;
        }
      }
      const part = await gram(block, n, k);
      for (const [at, value] of part.entries()) second[at]! += value / count;
    }
  } finally {
    await release();
  }
  let trace = 0;
  for (let j = 0; j < k; j++) trace += second[j * k + j]!;
  solveRidge(second, k, (ridge * trace) / k, mean);
  const direction = new Float64Array(d);
  for (const [j, i] of used.entries()) direction[i] = mean[j]!;
  return direction;
}
