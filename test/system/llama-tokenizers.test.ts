import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, type Tokenizer } from "../../src/corpus/tokenizer/tokenizer.js";
import { preTokenizerKinds } from "../../src/model/gguf/pre-tokenizers.js";
import { resolveModelFolder } from "../../src/node/hub/model-folder.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { readGgufFile } from "../../src/tensor/gguf/gguf-file.js";
import { ggufBytes, ggufGolden, type TestValue } from "../support/gguf-bytes.js";
import { hasLlamaCpp, type LlamaModel, loadInLlamaCpp } from "./llama-cpp.js";

const texts = [
  "The old man and the sea, it's 1984; isn't it? WE'LL HE'D 'tis O'Neil's",
  " in  two   spaces\n\n and\r\n lines \t tabs\n",
  "x1,234.50+12345678 = 3.14159e-10 $100 ^ ~ | `code` a/b\\c",
  "def f(x):\n    return x_1['key'] // 2  # comment\n\n\n",
  'camelCaseWord HTTPServer iPhone5S (and) "quoted" [brackets] <tag/>',
  "caf\u00e9 e\u0301 \u65e5\u672c\u8a9e\u306e \ud55c\uad6d\uc5b4 \u{1f642}\u200d\u{1f642} \u0645\u0631\u062d\u0628\u0627 \u0939\u093f\u0928\u094d\u0926\u0940 a\u00a0b\u3000c \u00b2\u00bd\u2167\u0663",
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-llama-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The embedded model's vocabulary in a GPT-2 of zeros, for llama.cpp to tokenise with. */
async function vocabulary(pre: string): Promise<Uint8Array> {
  const { model, added_tokens } = JSON.parse(await readFile("assets/tiny-books/tokenizer.json", "utf8"));
  const tokens = Object.entries<number>(model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
  const special = new Set(added_tokens.map(({ id }: { id: number }) => id));
  const merges = model.merges.map((merge: string | string[]) => (typeof merge === "string" ? merge : merge.join(" ")));
  const d = 32;
  const number = (value: number): TestValue => ({ kind: "uint32", value });
  const metadata: [string, TestValue][] = [
    ["general.architecture", { kind: "string", value: "gpt2" }],
    ["gpt2.block_count", number(1)],
    ["gpt2.context_length", number(64)],
    ["gpt2.embedding_length", number(d)],
    ["gpt2.feed_forward_length", number(d)],
    ["gpt2.attention.head_count", number(1)],
    ["gpt2.attention.layer_norm_epsilon", { kind: "float32", value: 1e-5 }],
    ["tokenizer.ggml.model", { kind: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { kind: "string", value: pre }],
    ["tokenizer.ggml.tokens", { kind: "array", of: "string", items: tokens }],
    [
      "tokenizer.ggml.token_type",
      { kind: "array", of: "int32", items: tokens.map((_, id) => (special.has(id) ? 3 : 1)) },
    ],
    ["tokenizer.ggml.merges", { kind: "array", of: "string", items: merges }],
    ["tokenizer.ggml.eos_token_id", number(0)],
  ];
  const shapes: [string, number[]][] = [
    ["token_embd.weight", [d, tokens.length]],
    ["position_embd.weight", [d, 64]],
    ...["output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"].flatMap((name): [string, number[]][] => [
      [`${name}.weight`, [d]],
      [`${name}.bias`, [d]],
    ]),
    ["blk.0.attn_qkv.weight", [d, 3 * d]],
    ["blk.0.attn_qkv.bias", [3 * d]],
    ...["attn_output", "ffn_up", "ffn_down"].flatMap((name): [string, number[]][] => [
      [`blk.0.${name}.weight`, [d, d]],
      [`blk.0.${name}.bias`, [d]],
    ]),
  ];
  let data = 0;
  const tensors = shapes.map(([name, sizes]) => {
    const offset = data;
    data += 4 * sizes.reduce((product, size) => product * size, 1);
    return { name, sizes, offset };
  });
  return ggufBytes({ metadata, tensors, data });
}

async function both(name: string, bytes: Uint8Array): Promise<{ ours: Tokenizer; theirs: LlamaModel }> {
  const file = join(folder, `${name}.gguf`);
  await writeFile(file, bytes);
  return { ours: await loadTokenizer(await resolveModelFolder(file)), theirs: await loadInLlamaCpp(file) };
}

describe.skipIf(!hasLlamaCpp)("texts become llama.cpp's ids", () => {
  test.each(preTokenizerKinds.map((names) => names.join(", ")))("words as %s have them", async (names) => {
    const ids: number[][] = [];
    for (const name of names.split(", ").slice(0, 2)) {
      const { ours, theirs } = await both(name, await vocabulary(name));
      for (const text of texts) expect(ours.encode(text)).toEqual(theirs.tokenize(text));
      ids.push(ours.encode(texts[0]!));
      await theirs.close();
    }
    expect(ids.every((found) => `${found}` === `${ids[0]}`)).toBe(true);
  });

  test.each(["with a space before", "without"])("any text in pieces and bytes, %s", async (prefix) => {
    const golden = await readGgufFile(bytesSource("m", ggufGolden("tiny-llama-F32.gguf")));
    const bytes = prefix === "without" ? withoutPrefix(golden.metadata.size) : ggufGolden("tiny-llama-F32.gguf");
    const { ours, theirs } = await both(`pieces ${prefix}`, bytes);
    const letters = fc.constantFrom(...Array.from("the andiousrgl  .,'\n1\u00e9\u65e5\u{1f642}\u2581"));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: letters, maxLength: 40 }), async (text) => {
        expect(ours.encode(text)).toEqual(theirs.tokenize(text));
      }),
      { numRuns: 300 },
    );
    await theirs.close();
  });
});

/** The golden with `add_space_prefix` false behind its other keys. */
function withoutPrefix(keys: number): Uint8Array {
  const added = ggufBytes({ metadata: [["tokenizer.ggml.add_space_prefix", { kind: "bool", value: 0 }]] }).subarray(24);
  const key = added.subarray(0, 8 + "tokenizer.ggml.add_space_prefix".length + 4 + 1);
  return insertedKey(ggufGolden("tiny-llama-F32.gguf"), key, keys + 1);
}

/** A key before all others; what follows moves by its length, and is padded anew. */
function insertedKey(bytes: Uint8Array, key: Uint8Array, keys: number): Uint8Array {
  // Padding of the header takes up what the key takes: the golden's header ends in as many zeros, or one alignment more is put in.
  const padding = (32 - (key.length % 32)) % 32;
  const filler = ggufBytes({ metadata: [["x".repeat(padding + 32 - 13), { kind: "bool", value: 0 }]] }).subarray(24);
  const whole = Buffer.concat([bytes.subarray(0, 24), key, filler.subarray(0, padding + 32), bytes.subarray(24)]);
  whole.writeBigUInt64LE(BigInt(keys + 1), 16);
  return new Uint8Array(whole);
}
