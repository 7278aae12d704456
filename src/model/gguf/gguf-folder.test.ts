import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { ggufBytes, ggufGolden, type TestValue } from "../../../test/support/gguf-bytes.js";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { openModel } from "../model.js";
import { openGgufFolder } from "./gguf-folder.js";

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

const openBytes = (bytes: Uint8Array, name = "m.gguf") =>
  openGgufFolder({ name, fileName: name, openBeside: async () => bytesSource(name, bytes) });

test.each(["tiny-gpt2-Q4_0", "tiny-llama-Q8_0", "families/falcon_grouped", "families/mixtral", "families/phi2"])(
  "%s: a damaged file is refused or opened, whatever its metadata say",
  async (name) => {
    const whole = ggufGolden(`${name}.gguf`);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutations(900), mutations(whole.length)), async (mutate) => {
        const read = await readUntrusted(
          mutate(whole),
          async (source) => {
            const folder = await openGgufFolder({
              name: "untrusted",
              fileName: "untrusted",
              openBeside: async () => source,
            });
            await openModel(folder, engine, "untrusted");
            (await loadTokenizer(folder)).encode("The quick brown fox");
          },
          9,
        );
        if (!read) refused++;
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(15);
  },
);

const string = (value: string): TestValue => ({ kind: "string", value });
const strings = (...items: string[]): TestValue => ({ kind: "array", of: "string", items });
const number = (value: number): TestValue => ({ kind: "uint32", value });

/** A file with a tokenizer and no tensors. */
function file(...metadata: [string, TestValue][]): Uint8Array {
  return ggufBytes({
    metadata: [
      ["general.architecture", string("qwen2")],
      ...["embedding_length", "feed_forward_length", "block_count", "attention.head_count", "context_length"].map(
        (key): [string, TestValue] => [`qwen2.${key}`, number(8)],
      ),
      ["qwen2.attention.layer_norm_rms_epsilon", { kind: "float32", value: 1e-6 }],
      ...metadata,
    ],
  });
}

const bytePairs: [string, TestValue][] = [
  ["tokenizer.ggml.model", string("gpt2")],
  ["tokenizer.ggml.tokens", strings("<s>", "a", "b", "ab", "<|im_end|>", "x y")],
  ["tokenizer.ggml.token_type", { kind: "array", of: "int32", items: [3, 1, 1, 1, 3, 4] }],
  ["tokenizer.ggml.merges", strings("a b")],
  ["tokenizer.ggml.bos_token_id", number(0)],
  ["tokenizer.ggml.eos_token_id", number(4)],
];

test("kinds of tokens, what begins and ends a text, and the template come from the metadata", async () => {
  const folder = await openBytes(
    file(
      ...bytePairs,
      ["tokenizer.ggml.add_bos_token", { kind: "bool", value: 1 }],
      ["tokenizer.chat_template", string("{{ messages }}")],
    ),
  );
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.encode("abba<|im_end|>x y")).toEqual([3, 2, 1, 4, 5]);
  expect([0, 1, 4, 5].map((id) => tokenizer.isSpecial(id))).toEqual([true, false, true, false]);
  expect([tokenizer.beginOfText, tokenizer.endOfText, tokenizer.startsWith]).toEqual([0, 4, [0]]);
  const config = await folder.open("tokenizer_config.json");
  expect(JSON.parse(new TextDecoder().decode(await config!.read(0, config!.size)))).toMatchObject({
    chat_template: "{{ messages }}",
    bos_token: "<s>",
  });
});

test.each<[what: string, metadata: [string, TestValue][], problem: string]>([
  [
    "a pre-tokenizer that is not known",
    [...bytePairs, ["tokenizer.ggml.pre", string("odd")]],
    '"odd", which is not known (default, llama3',
  ],
  [
    "a kind that is not read",
    [
      ["tokenizer.ggml.model", string("bert")],
      ["tokenizer.ggml.tokens", strings("a")],
    ],
    '"bert"; gpt2 and llama are read',
  ],
  [
    "a token twice",
    [
      ["tokenizer.ggml.model", string("gpt2")],
      ["tokenizer.ggml.tokens", strings("a", "b", "a")],
    ],
    'holds "a" twice',
  ],
  [
    "an id that no token has",
    [...bytePairs.slice(0, 4), ["tokenizer.ggml.bos_token_id", number(6)]],
    "is 6, which no token has",
  ],
  [
    "too few kinds",
    [...bytePairs.slice(0, 2), ["tokenizer.ggml.token_type", { kind: "array", of: "int32", items: [1] }]],
    "has 1 items for 6 tokens",
  ],
])("refuses %s", async (_, metadata, problem) => {
  const error = await openBytes(file(...metadata))
    .then(loadTokenizer)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).place).toBe("m.gguf");
  expect((error as InputError).problem).toContain(problem);
});

test("refuses an architecture that is not known, a tensor of none, and stretched positions that are not", async () => {
  const other = ggufBytes({ metadata: [["general.architecture", string("clip")]] });
  await expect(openBytes(other)).rejects.toThrow(
    'm.gguf: field "general.architecture" is "clip", which is not supported',
  );
  await expect(openBytes(ggufBytes({}))).rejects.toThrow('m.gguf: field "general.architecture" is missing');
  const odd = ggufBytes({
    metadata: [["general.architecture", string("gpt2")]],
    tensors: [{ name: "blk.0.extra", sizes: [1], offset: 0 }],
    data: 4,
  });
  await expect(openBytes(odd)).rejects.toThrow(
    'm.gguf: tensor "blk.0.extra" is not known in models of this architecture',
  );
  const scaling = file(["qwen2.rope.scaling.type", string("odd")]);
  await expect(openBytes(scaling)).rejects.toThrow('field "qwen2.rope.scaling.type" is "odd", which is not supported');
});
