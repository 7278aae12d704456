import { float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { inOrder } from "../../engine/in-order.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import { seedTokens } from "../../model/head/bounded-preview.js";
import { type Head, tokensNeeded } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { GreedyCost } from "../reduction-run.js";
import { contextBlocks } from "./measure-head.js";

/** Of a head of two stages with a bound, over stored contexts; undefined of a head without a bound. */
export async function greedyCost(
  { engine }: Pick<HeadModel, "engine">,
  head: Head,
  contexts: ContextRows,
  signal?: AbortSignal | undefined,
): Promise<GreedyCost | undefined> {
  const { hiddenSize: d, vocabSize, preview } = head;
  if (preview?.bound === undefined || preview.rescore === undefined) return undefined;
  const graph = createGraph("fallback", engine);
  const needed = tokensNeeded(graph, head, preview, graph.input("hidden", "float32", ["rows", d]));
  graph.output(graph.cast(needed, "float32"), "needed", "float32", ["rows", 1]);
  const session = await engine.load(graph);
  const seeds = Math.min(seedTokens, preview.rescore);
  let [fallbacks, rows] = [0, 0];
  try {
    const blocks = contextBlocks({ start: 0, end: contexts.count });
    const found = inOrder(blocks, session.concurrency, async ({ start, end }) => {
      const data = await contexts.read(start, end);
      return float32Output(await session.run({ hidden: { type: "float32", data, dims: [end - start, d] } }), "needed");
    });
    for await (const counts of found) {
      signal?.throwIfAborted();
      for (const count of counts) {
        const whole = count > preview.rescore;
        if (whole) fallbacks++;
        rows += seeds + (whole ? vocabSize : count);
      }
    }
  } finally {
    await session.release();
  }
  return { fallback: fallbacks / contexts.count, rows: rows / contexts.count };
}
