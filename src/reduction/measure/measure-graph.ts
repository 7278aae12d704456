import type { Graph } from "../../engine/graph.js";
import type { Head } from "../../model/head/head.js";
import { type ReducedHead, reducedLogits } from "../../model/head/reduced-head.js";
import { pointGraph } from "./point-graph.js";

/** A `pointGraph` of reduced heads, each with weights of its own in E's number type. */
export function measureGraph(head: Head, reduced: readonly ReducedHead[], { js }: { js: boolean }): Graph {
  const { graph, hidden, point, finish } = pointGraph(head, { js });
  return finish(reduced.map((one, index) => point(reducedLogits(graph, head, one, hidden, `${index}.`))));
}
