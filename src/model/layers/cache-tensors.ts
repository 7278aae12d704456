import type { Tensors } from "../../engine/engine.js";

/** What one tensor of a cache holds of each text: keys or values of all its tokens, or a state that does not grow. */
export interface CacheTensor {
  /** Names of the input that is what earlier passes left, and of the output that the next pass is given. */
  readonly past: string;
  readonly present: string;
  /** Of one text; "tokens" stands for how many it has so far. */
  readonly shape: readonly (number | "tokens")[];
}

/** What a pass that begins its texts is given: no keys and values, and states of zeros. */
export function emptyCache(cache: readonly CacheTensor[], texts: number): Tensors {
  return Object.fromEntries(
    cache.map(({ past, shape }) => {
      const dims = [texts, ...shape.map((size) => (size === "tokens" ? 0 : size))];
      const count = dims.reduce((product, size) => product * size, 1);
      return [past, { type: "float32" as const, data: new Float32Array(count), dims }];
    }),
  );
}

/** What a pass put out, as the next one is given it. */
export function nextCache(cache: readonly CacheTensor[], outputs: Tensors): Tensors {
  return Object.fromEntries(cache.map(({ past, present }) => [past, outputs[present]!]));
}

/** Numbers that a cache takes for each token of a text, and for each text however long it is. */
export function cacheNumbers(cache: readonly CacheTensor[]): { readonly perToken: number; readonly perText: number } {
  const [perToken, perText] = [true, false].map((grows) =>
    cache
      .filter(({ shape }) => shape.includes("tokens") === grows)
      .map(({ shape }) => shape.reduce<number>((product, size) => product * (size === "tokens" ? 1 : size), 1))
      .reduce((sum, numbers) => sum + numbers, 0),
  ) as [number, number];
  return { perToken, perText };
}
