import { weightedRows } from "../linalg/weighted-rows.js";
import type { Engine } from "./engine.js";
import { float64Output, type Session } from "./engine.js";
import { createGraph } from "./graph.js";

/** Matrix products between contexts and rows, float64: in plain JavaScript for few rows, else by the engine. */
export interface Products {
  /** x_j . h_t. @param block h_t, float32 [n, d]  @param rows x_j, [m, d]  @returns [m, n] */
  along(block: Float32Array, rows: Float64Array, m: number): Promise<Float64Array>;
  /** Sum over t of weights_jt h_t. @param weights [m, n]  @returns [m, d] */
  back(weights: Float64Array, block: Float32Array, m: number): Promise<Float64Array>;
  /** a b'. @param a [m, n]  @param b [k, n]  @returns [m, k] */
  cross(a: Float64Array, b: Float64Array, m: number, k: number): Promise<Float64Array>;
  release(): Promise<void>;
}

/** Up to so many rows, handing a block to the engine takes longer than multiplying it. */
const fewRows = 2;
const fewCrossRows = 8;

/** @param d size of a hidden state */
export async function createProducts(engine: Engine, d: number): Promise<Products> {
  const sessions = new Map<string, Promise<Session>>();
  const session = (name: keyof typeof graphs) => {
    const loaded = sessions.get(name) ?? engine.load(graphs[name](d), { oneAtATime: true });
    sessions.set(name, loaded);
    return loaded;
  };
  const float32 = (data: Float32Array) => ({ type: "float32" as const, data, dims: [data.length / d, d] });
  const float64 = (data: Float64Array, m: number) => ({ type: "float64" as const, data, dims: [m, data.length / m] });
  return {
    async along(block, rows, m) {
      if (m <= fewRows) return alongFew(block, rows, m, d);
      const loaded = await session("along");
      return float64Output(await loaded.run({ block: float32(block), rows: float64(rows, m) }), "product");
    },
    async back(weights, block, m) {
      if (m <= fewRows) return weightedRows(weights, block, m, d);
      const loaded = await session("back");
      return float64Output(await loaded.run({ block: float32(block), weights: float64(weights, m) }), "product");
    },
    async cross(a, b, m, k) {
      if (m * k <= fewCrossRows ** 2) return crossFew(a, b, m, k);
      const loaded = await session("cross");
      return float64Output(await loaded.run({ a: float64(a, m), b: float64(b, k) }), "product");
    },
    async release() {
      await Promise.all([...sessions.values()].map(async (loaded) => (await loaded).release()));
    },
  };
}

const graphs = {
  along(d: number) {
    const graph = createGraph("along");
    const wide = graph.cast(graph.input("block", "float32", ["n", d]), "float64");
    const rows = graph.input("rows", "float64", ["m", d]);
    const transposed = graph.op("Transpose", [wide], { perm: [1, 0] });
    graph.output(graph.op("MatMul", [rows, transposed]), "product", "float64", ["m", "n"]);
    return graph;
  },
  back(d: number) {
    const graph = createGraph("back");
    const wide = graph.cast(graph.input("block", "float32", ["n", d]), "float64");
    const weights = graph.input("weights", "float64", ["m", "n"]);
    graph.output(graph.op("MatMul", [weights, wide]), "product", "float64", ["m", d]);
    return graph;
  },
  cross(_d: number) {
    const graph = createGraph("cross");
    const a = graph.input("a", "float64", ["m", "n"]);
    const b = graph.op("Transpose", [graph.input("b", "float64", ["k", "n"])], { perm: [1, 0] });
    graph.output(graph.op("MatMul", [a, b]), "product", "float64", ["m", "k"]);
    return graph;
  },
};

function alongFew(block: Float32Array, rows: Float64Array, m: number, d: number): Float64Array {
  const n = block.length / d;
  const out = new Float64Array(m * n);
  for (let j = 0; j < m; j++) {
    const x = rows.subarray(j * d, (j + 1) * d);
    for (let t = 0; t < n; t++) out[j * n + t] = alongOne(block, t * d, x, d);
  }
  return out;
}

/** Four partial sums, so that additions need not wait in line. */
function alongOne(block: Float32Array, start: number, x: Float64Array, d: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < d; i += 4) {
    s0 += block[start + i]! * x[i]!;
    s1 += block[start + i + 1]! * x[i + 1]!;
    s2 += block[start + i + 2]! * x[i + 2]!;
    s3 += block[start + i + 3]! * x[i + 3]!;
  }
  for (; i < d; i++) s0 += block[start + i]! * x[i]!;
  return s0 + s1 + (s2 + s3);
}

function crossFew(a: Float64Array, b: Float64Array, m: number, k: number): Float64Array {
  const n = a.length / m;
  const out = new Float64Array(m * k);
  for (let j = 0; j < m; j++) {
    for (let l = 0; l < k; l++) {
      let sum = 0;
      for (let t = 0; t < n; t++) sum += a[j * n + t]! * b[l * n + t]!;
      out[j * k + l] = sum;
    }
  }
  return out;
}
