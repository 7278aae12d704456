import type { Graph, Value } from "../../engine/graph.js";

/** What some models do to z = E h + b before the softmax: T(z). */
export interface HeadTransform {
  /** z becomes scale * z (Cohere, Granite style). */
  readonly scale?: number | undefined;
  /** z becomes softCap * tanh(z / softCap), after the scale (Gemma 2). */
  readonly softCap?: number | undefined;
}

/** Whether z is left as it is. */
export function isIdentity({ scale = 1, softCap }: HeadTransform): boolean {
  return scale === 1 && softCap === undefined;
}

/** T(z) and T'(z) of one logit. */
export function transform(
  { scale = 1, softCap }: HeadTransform,
  z: number,
): { readonly value: number; readonly slope: number } {
  if (softCap === undefined) return { value: scale * z, slope: scale };
  const bounded = Math.tanh((scale * z) / softCap);
  return { value: softCap * bounded, slope: scale * (1 - bounded * bounded) };
}

/** Adds T(z) to a graph. */
export function transformed(graph: Graph, headTransform: HeadTransform, z: Value): Value {
  return parts(graph, headTransform, z).value;
}

/** Adds T(z) and T'(z), of the same shape or one number, to a graph; the slope is undefined where it is 1. */
export function transformedWithSlope(
  graph: Graph,
  headTransform: HeadTransform,
  z: Value,
): { readonly value: Value; readonly slope: Value | undefined } {
  const { scale = 1 } = headTransform;
  const { value, bounded } = parts(graph, headTransform, z);
  const number = (one: number) => graph.constant(Float32Array.of(one), []);
  if (bounded === undefined) return { value, slope: scale === 1 ? undefined : number(scale) };
  const slope = graph.op("Sub", [number(1), graph.op("Mul", [bounded, bounded])]);
  return { value, slope: scale === 1 ? slope : graph.op("Mul", [slope, number(scale)]) };
}

/** T(z), and the hyperbolic tangent that it is made of where there is a cap. */
function parts(graph: Graph, { scale = 1, softCap }: HeadTransform, z: Value) {
  const number = (one: number) => graph.constant(Float32Array.of(one), []);
  const scaled = scale === 1 ? z : graph.op("Mul", [z, number(scale)]);
  if (softCap === undefined) return { value: scaled, bounded: undefined };
  const bounded = graph.op("Tanh", [graph.op("Div", [scaled, number(softCap)])]);
  return { value: graph.op("Mul", [bounded, number(softCap)]), bounded };
}
