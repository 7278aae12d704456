import { permutation } from "../../linalg/random.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";

/** Contexts in random order, each once before any comes again. */
export function drawer(count: number, batch: number, random: () => number): () => Int32Array {
  let order = permutation(count, random);
  let next = 0;
  return () => {
    const drawn = new Int32Array(Math.min(batch, count));
    for (let i = 0; i < drawn.length; i++) {
      if (next === count) {
        order = permutation(count, random);
        next = 0;
      }
      drawn[i] = order[next++]!;
    }
    return drawn.sort();
  };
}

/** h of these contexts, [n, d]. */
export async function gather(contexts: StoredContexts, places: Int32Array): Promise<Float32Array> {
  const d = contexts.hiddenSize;
  const hidden = new Float32Array(places.length * d);
  const reads = Array.from(places, (place) => contexts.read(place, place + 1));
  for (const [i, row] of (await Promise.all(reads)).entries()) hidden.set(row, i * d);
  return hidden;
}
