import { writeFile } from "node:fs/promises";
import { writeNpy } from "../../src/tensor/npy.js";

/**
 * Writes token ids for a model without a tokenizer: documents of 16 tokens that each step through the vocabulary at a
 * pace of their own. @param from number of the first document: files of different numbers hold different text
 */
export async function writeIdFile(path: string, count: number, vocabSize: number, from = 0): Promise<void> {
  const ids = Int32Array.from({ length: count }, (_, i) => {
    const run = from + Math.floor(i / 16);
    return (run * 31 + (i % 16) * (7 + (run % 40)) + 1) % vocabSize;
  });
  await writeFile(path, writeNpy({ dtype: "I32", shape: [count], data: new Uint8Array(ids.buffer) }));
}
