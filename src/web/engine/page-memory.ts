import type { Graph } from "../../engine/graph.js";
import { InputError } from "../../errors.js";
import { bytesPerElement } from "../../tensor/dtype.js";

/** WebAssembly has addresses for 4 GiB; blocks of logits, and what a session needs besides its weights, take the rest. */
const maxWorkerBytes = 3.25 * 2 ** 30;

/** What loading a graph takes at its peak: weights as they are stored, and in float32 beside them where they are widened. */
export function loadingBytes(graph: Graph): number {
  const narrow = graph.weights.filter(({ tensor }) => bytesPerElement[tensor.dtype] === 2);
  return graph.weightBytes + narrow.reduce((bytes, { tensor }) => bytes + tensor.byteLength, 0);
}

/** @throws InputError with both sizes, if so many bytes do not fit into a worker of a page */
export function requireRoom(name: string, bytes: number): void {
  if (bytes <= maxWorkerBytes) return;
  const needs = `needs ${gigabytes(bytes)} GB in the engine, and a browser gives it ${gigabytes(maxWorkerBytes)} GB`;
  throw new InputError(name, `${needs}: the command line runs models of any size`);
}

export function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
