import type { Tensors } from "../engine/engine.js";
import type { CacheTensor } from "../model/layers/cache-tensors.js";

/**
 * Keys and values of the first tokens of each text, aligned at the end as a batch is: copies, nothing computed.
 * @param batch padding of each text, and what the layers left of all
 * @param kept tokens of each text that stay @returns undefined if there is a state that does not grow with the text
 */
export function shorterCache(
  cache: readonly CacheTensor[],
  { texts, width, past }: { texts: readonly { padding: number }[]; width: number; past: Tensors },
  kept: readonly number[],
): Tensors | undefined {
  if (cache.some(({ shape }) => !shape.includes("tokens"))) return undefined;
  const longest = Math.max(...kept);
  const shorter = cache.map(({ past: name, shape }) => {
    const from = past[name]!.data as Float32Array;
    const axis = shape.indexOf("tokens");
    const size = (dims: CacheTensor["shape"]) => dims.reduce<number>((product, dim) => product * Number(dim), 1);
    const [outer, inner] = [size(shape.slice(0, axis)), size(shape.slice(axis + 1))];
    const data = new Float32Array(texts.length * outer * longest * inner);
    texts.forEach(({ padding }, text) => {
      for (let part = text * outer; part < (text + 1) * outer; part++) {
        const first = (part * width + padding) * inner;
        const place = (part * longest + longest - kept[text]!) * inner;
        data.set(from.subarray(first, first + kept[text]! * inner), place);
      }
    });
    const dims = [texts.length, ...shape.map((dim) => (dim === "tokens" ? longest : dim))];
    return [name, { type: "float32" as const, data, dims }];
  });
  return Object.fromEntries(shorter);
}
