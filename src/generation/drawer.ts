import type { Random } from "../linalg/random.js";
import { choose, type Sampling } from "./sampling.js";

/** Draws the tokens of one text, one after the other. */
export interface Drawer {
  /** @param z logits after all tokens that stand, [V] */
  draw(z: Float32Array): Drawn;
  /** Tokens drawn and taken back so far. */
  readonly withdrawn: number;
}

/** What follows a text. */
export interface Drawn {
  /** How many of the text's last tokens are taken back first. */
  readonly back: number;
  /** The next token; undefined where nothing may follow. */
  readonly id: number | undefined;
  /** How many of the text's first tokens stay whatever comes. */
  readonly settled: number;
}

/** Every token stays. */
export function plainDrawer(sampling: Sampling, random: Random): Drawer {
  let drawn = 0;
  return {
    withdrawn: 0,
    draw: (z) => ({ back: 0, id: choose(z, sampling, random), settled: ++drawn }),
  };
}
