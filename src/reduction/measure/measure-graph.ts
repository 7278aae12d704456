import type { Engine } from "../../engine/engine.js";
import type { Graph, Value } from "../../engine/graph.js";
import type { Head } from "../../model/head/head.js";
import { type ReducedHead, reducedLogits, rescoreCount, withExactLogits } from "../../model/head/reduced-head.js";
import { pointGraph } from "./point-graph.js";

/** A `pointGraph` of reduced heads, each with weights of its own in E's number type. */
export function measureGraph(
  head: Head,
  engine: Pick<Engine, "capabilities">,
  reduced: readonly ReducedHead[],
  { js }: { js: boolean },
): Graph {
  const { graph, hidden, original, point, finish } = pointGraph(head, engine, { js });
  return finish(
    reduced.map((one, index) => {
      const z = reducedLogits(graph, head, one, hidden, `${index}.`);
      if (one.rescore === undefined) return point(z);
      const exactOf = (tokens: Value) => graph.op("GatherElements", [original.logits, tokens], { axis: 1 });
      return point(withExactLogits(graph, z, rescoreCount(graph, one.rescore), exactOf));
    }),
  );
}
