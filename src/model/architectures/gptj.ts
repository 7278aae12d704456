import type { Architecture } from "../architecture.js";
import { gptjLike } from "../layers/gptj-like.js";
import { linear } from "../layers/layers.js";

/**
 * GPT-J (Wang and Komatsuzaki 2021): rotary positions on neighbouring numbers of a part of each head, attention and MLP
 * side by side behind one norm, no biases in attention, a head with a bias.
 */
export const gptj: Architecture = {
  description: "GPT-J: rotary positions on rotary_dim numbers of each head, output bias",
  modelTypes: ["gptj"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    return gptjLike(config, weights, (name, d) => {
      const matrix = (part: string) => ({ weight: weights.get(`${name}.${part}_proj.weight`, [d, d]) });
      const [q, k, v] = [matrix("q"), matrix("k"), matrix("v")];
      return (graph, x) => [linear(graph, x, q), linear(graph, x, k), linear(graph, x, v)];
    });
  },
};
