import type { Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import { gptjLike } from "../layers/gptj-like.js";
import { linear, reshape, splitLast } from "../layers/layers.js";

/** Parts of the projection of q, v and k, in that order: one a core of the machine that CodeGen was trained on. */
const cores = 4;

/** CodeGen (Nijkamp et al. 2022): GPT-J with q, k and v in one matrix. */
export const codegen: Architecture = {
  description: "CodeGen 1: as GPT-J, with fused q/v/k",
  modelTypes: ["codegen"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const numHeads = config.integer("n_head");
    if (numHeads % cores !== 0) config.fail("n_head", `is ${numHeads}; a multiple of ${cores} is wanted`);
    return gptjLike(config, weights, (name, d) => {
      const fused = { weight: weights.get(`${name}.qkv_proj.weight`, [3 * d, d]) };
      const width = d / cores;
      return (graph, x) => {
        const parts = reshape(graph, linear(graph, x, fused), [0, 0, cores, 3 * width]);
        const [q, v, k] = splitLast(graph, parts, [width, width, width]).map((part) =>
          reshape(graph, part, [0, 0, d]),
        ) as [Value, Value, Value];
        return [q, k, v];
      };
    });
  },
};
