import type { Graph, Value } from "../../../engine/graph.js";
import type { Affine } from "../layers.js";

/** What a convolution over so many tokens keeps of each text for the next pass, [channels, tokens]. */
export const keptBy = (channels: number, kernel: number) => [channels, Math.max(1, kernel - 1)] as const;

/**
 * y_t = b + sum_j w_j * x_(t - kernel + 1 + j), each channel by itself; before a text's beginning there are zeros.
 * @param x [batch, time, channels] @param weight [channels, 1, kernel]
 * @param past what came before, [batch, ...keptBy(channels, kernel)]
 * @returns y [batch, time, channels], and what the next pass is given as past
 */
export function causalConvolution(
  graph: Graph,
  x: Value,
  { weight, bias }: Affine,
  past: Value,
): { readonly y: Value; readonly kept: Value } {
  const [channels, , kernel] = weight.shape as [number, number, number];
  const [, kept] = keptBy(channels, kernel);
  const integers = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)));
  const swapped = (value: Value) => graph.op("Transpose", [value], { perm: [0, 2, 1] });
  const fresh = swapped(x);
  const whole = graph.op("Concat", [past, fresh], { axis: 2 });
  // A kernel of one token sees nothing before it.
  const seen = kernel === 1 ? fresh : whole;
  const y = graph.op("Conv", [seen, graph.weightFloat32(weight), bias && graph.weightFloat32(bias)], {
    group: channels,
    kernel_shape: [kernel],
  });
  return { y: swapped(y), kept: graph.op("Slice", [whole, integers(-kept), integers(2 ** 31), integers(2)]) };
}
