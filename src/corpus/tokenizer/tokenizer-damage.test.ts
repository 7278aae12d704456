import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { loadTokenizer } from "./tokenizer.js";

/** Loads a tokenizer and uses all of it. */
async function use(bytes: Uint8Array): Promise<boolean> {
  return readUntrusted(bytes, async (source) => {
    const open = async (name: string) => (name === "tokenizer.json" ? source : undefined);
    const tokenizer = await loadTokenizer({ name: "model", open });
    const ids = tokenizer.encode("The quick brown fox\n\n don't 12345 \u4f60\u597d </s>");
    tokenizer.decode(ids);
    for (let id = 0; id < Math.min(tokenizer.vocabSize, 500); id++) tokenizer.tokenText(id);
  });
}

test.each(["gpt2", "falcon", "llama2", "unigram", "words"])("%s: a damaged file is refused or read", async (kind) => {
  const whole = new Uint8Array(readFileSync(`test/goldens/tokenizers/${kind}.json`));
  // What tells how to tokenise comes before the vocabulary, which is long.
  const reach = new TextDecoder().decode(whole).indexOf('"vocab"');
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutations(reach), mutations(whole.length)), async (mutate) => {
      if (!(await use(mutate(whole)))) refused++;
    }),
    { numRuns: 150 },
  );
  expect(refused).toBeGreaterThan(50);
});

test.each(["gpt2", "falcon", "llama2", "unigram", "words"])("%s: any field may be of any kind", async (kind) => {
  const file: unknown = JSON.parse(readFileSync(`test/goldens/tokenizers/${kind}.json`, "utf8"));
  const values = fc.constantFrom<unknown>(null, true, -1, 1e9, 0.5, "", "x", "(", "ByteLevel", [], [1], {}, { a: 1 });
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(50)), values, async (path, value) => {
      await use(new TextEncoder().encode(JSON.stringify(replaceAt(file, path, value))));
    }),
    { numRuns: 150 },
  );
});

/** A copy with the value at a path that the numbers choose. */
function replaceAt(node: unknown, path: Iterator<number>, value: unknown): unknown {
  const step = path.next().value as number;
  if (typeof node !== "object" || node === null || Object.keys(node).length === 0 || step % 6 === 0) return value;
  const keys = Object.keys(node);
  const key = keys[step % keys.length]!;
  if (Array.isArray(node)) return node.with(Number(key), replaceAt(node[Number(key)], path, value));
  return { ...node, [key]: replaceAt((node as Record<string, unknown>)[key], path, value) };
}
