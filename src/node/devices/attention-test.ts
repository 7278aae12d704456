import type { DeviceName } from "../../engine/devices.js";
import { type Engine, float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { causalAttention } from "../../model/layers/attention.js";
import { createEngine } from "../engine/onnx-engine.js";
import { difference } from "./golden.js";

/** Lengths of texts and sizes of heads at which onnxruntime takes one kernel or another. */
const lengths = [31, 33, 64, 257];
const headSizes = [16, 64, 80, 128];
const heads = 2;
const tolerance = 1e-5;

/**
 * Whether attention in one operator gives what it gives in single steps on this device: onnxruntime 1.30's was found wrong
 * on WebGPU by up to 2.3 in a logit, from 32 tokens on, depending on how many lanes an adapter computes side by side.
 * @throws what the device says if it does not start
 */
export async function fusedAttentionIsRight(device: DeviceName): Promise<boolean> {
  const engines = [false, true].map((fusedAttention) => createEngine({ threads: 1, device, fusedAttention }));
  try {
    for (const headDim of headSizes) {
      for (const window of [undefined, 16]) {
        const [steps, fused] = await Promise.all(engines.map((engine) => attended(engine, headDim, window)));
        if (steps!.some((one, i) => difference(fused![i]!, one) > tolerance)) return false;
      }
    }
    return true;
  } finally {
    for (const engine of engines) await engine.close();
  }
}

/** Attention over texts of each length, [length, heads * headDim] each. */
async function attended(engine: Engine, headDim: number, window: number | undefined): Promise<Float32Array[]> {
  const size = heads * headDim;
  const graph = createGraph("attention", engine);
  const [q, k, v] = ["q", "k", "v"].map((name) => graph.input(name, "float32", [1, "time", size]));
  const positions = graph.input("positions", "int64", ["time"]);
  const form = { numHeads: heads, numKvHeads: heads, headDim, scale: headDim ** -0.5, window };
  const pass = { graph, tokenIds: q!, positions };
  graph.output(causalAttention(pass, { ...form, q: q!, k: k!, v: v! }), "attended", "float32", [1, "time", size]);
  const session = await engine.load(graph);
  const results: Float32Array[] = [];
  for (const length of lengths) {
    const part = (seed: number) => ({
      type: "float32" as const,
      data: Float32Array.from({ length: length * size }, (_, i) => 3 * Math.sin(seed + 1.7 * i + 0.01 * i * i)),
      dims: [1, length, size],
    });
    const places = BigInt64Array.from({ length }, (_, i) => BigInt(i));
    const feeds = {
      q: part(1),
      k: part(2),
      v: part(3),
      positions: { type: "int64" as const, data: places, dims: [length] },
    };
    results.push(float32Output(await session.run(feeds), "attended"));
  }
  await session.release();
  return results;
}
