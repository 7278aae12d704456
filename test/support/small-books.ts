import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readSafetensorsHeader } from "../../src/tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";

const embedded = "assets/tiny-books";
/** Ids 0 to 256: the end of a text, and the bytes; each merge makes the next one. */
const unmerged = 257;

/**
 * A cut of the embedded model, tens of times as fast, for tests that need a text model but none that has learnt to write:
 * its first tokens and layer, and of every vector the first numbers. The tokenizer is the embedded one's, of fewer merges.
 */
export async function smallBooks(folder: string, vocabSize = 1024, hiddenSize = 64): Promise<string> {
  await mkdir(folder, { recursive: true });
  const json = async (name: string) => JSON.parse(await readFile(join(embedded, name), "utf8"));
  const write = (name: string, contents: unknown) => writeFile(join(folder, name), JSON.stringify(contents));

  const config = await json("config.json");
  await write("config.json", { ...config, vocab_size: vocabSize, n_embd: hiddenSize, n_layer: 1 });
  await write("generation_config.json", await json("generation_config.json"));
  await write("tokenizer_config.json", await json("tokenizer_config.json"));
  const tokenizer = await json("tokenizer.json");
  const { vocab, merges } = tokenizer.model;
  const kept = Object.fromEntries(Object.entries<number>(vocab).filter(([, id]) => id < vocabSize));
  await write("tokenizer.json", {
    ...tokenizer,
    model: { ...tokenizer.model, vocab: kept, merges: merges.slice(0, vocabSize - unmerged) },
  });

  const sizes = new Map([[config.vocab_size, vocabSize]]);
  for (const times of [1, 3, 4]) sizes.set(times * config.n_embd, times * hiddenSize);
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(embedded, "model.safetensors")));
  const cut = [...tensors.values()]
    .filter(({ name }) => !/\.h\.[1-9]/.test(name))
    .map(async ({ name, dtype, shape, offset, source }) => {
      const positions = name.endsWith("wpe.weight");
      const ours = shape.map((size, axis) => (positions && axis === 0 ? size : (sizes.get(size) ?? size)));
      const [rows, width] = ours.length === 1 ? [1, ours[0]!] : [ours[0]!, ours[1]!];
      const stride = shape.at(-1)!;
      const all = await source.read(offset, 2 * stride * rows);
      const data = new Uint8Array(2 * rows * width);
      for (let row = 0; row < rows; row++)
        data.set(all.subarray(2 * row * stride, 2 * (row * stride + width)), 2 * row * width);
      return { name, dtype, shape: ours, data };
    });
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(await Promise.all(cut)));
  return folder;
}
