import { expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import { keptByUse, keptSet } from "../plan/kept-tokens.js";
import { readTrimmableTokenizer } from "./trimmable-tokenizer.js";

const open = (file: object) =>
  readTrimmableTokenizer(bytesSource("tokenizer.json", new TextEncoder().encode(JSON.stringify(file))));
const vocabOf = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));
const bpe = (tokens: readonly string[], merges: readonly string[], more: object = {}) =>
  open({ model: { type: "BPE", vocab: vocabOf(tokens), merges, ...more } });

test("a token keeps the way on which it is merged, and no other token", async () => {
  // abcd is made of ab + cd; bc + d is a way that is never taken.
  const cut = await bpe(["a", "b", "c", "d", "ab", "cd", "bc", "bcd", "abcd"], ["a b", "c d", "ab cd", "b c", "bc d"]);
  expect([...keptSet(cut, [], [8]).ids]).toEqual([0, 1, 2, 3, 4, 5, 8]);
  const newIds = new Map([0, 1, 2, 3, 4, 5, 8].map((old, id) => [old, id]));
  const { model } = JSON.parse(cut.trimmed(newIds));
  expect(model).toMatchObject({
    vocab: { a: 0, b: 1, c: 2, d: 3, ab: 4, cd: 5, abcd: 6 },
    merges: ["a b", "c d", "ab cd"],
  });
});

test("a token that its merges never make is told apart", async () => {
  const cut = await bpe(["a", "b", "c", "ab", "bc", "abc"], ["b c", "a b", "ab c"]);
  expect(cut.rules.reachable(4)).toBe(true);
  expect(cut.rules.reachable(5)).toBe(false);
  expect([...keptSet(cut, [], [5]).ids]).toEqual([0, 1, 2, 5]);
});

test("__proto__ is a token like any other", async () => {
  const file = '{"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"__proto__":1,"10":2,"x":3}}}';
  const cut = await readTrimmableTokenizer(bytesSource("tokenizer.json", new TextEncoder().encode(file)));
  const { model } = JSON.parse(
    cut.trimmed(
      new Map([
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
    ),
  );
  expect(Object.entries(model.vocab)).toEqual([
    ["10", 2],
    ["?", 0],
    ["__proto__", 1],
  ]);
});

test("of WordPiece the alphabet stays, and what it does not spell", async () => {
  const tokens = ["[UNK]", "a", "##a", "b", "ab", "##b", "cab", "##ab"];
  const cut = await open({ model: { type: "WordPiece", unk_token: "[UNK]", vocab: vocabOf(tokens) } });
  // c is nowhere else; ab and ##ab are a, ##b and ##a, ##b.
  expect([...keptSet(cut, [], []).ids]).toEqual([0, 1, 2, 3, 5, 6]);
});

test("of Unigram the piece of the lowest score stays, by which the unknown is reckoned", async () => {
  const vocab = [
    ["<unk>", 0],
    ["a", -1],
    ["b", -2],
    ["ab", -9],
    ["xy", -3],
  ];
  const cut = await open({ model: { type: "Unigram", unk_id: 0, vocab } });
  expect([...keptSet(cut, [], []).ids]).toEqual([0, 1, 2, 3, 4]);
  const { model } = JSON.parse(
    cut.trimmed(
      new Map([
        [0, 0],
        [2, 1],
        [3, 2],
      ]),
    ),
  );
  expect(model).toMatchObject({
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["b", -2],
      ["ab", -9],
    ],
  });
});

test("the most used come first, with all that they need", async () => {
  const cut = await bpe(["a", "b", "c", "ab", "abc", "<s>"], ["a b", "ab c"], { byte_fallback: false });
  const usage = {
    meanProbability: Float64Array.of(0.1, 0.1, 0.1, 0.05, 0.6, 0.05),
    counts: Float64Array.of(0, 0, 0, 10, 0, 0),
    contexts: 10,
  };
  expect([...keptByUse(cut, [5], usage, { maxVocab: 5 }).ids]).toEqual([0, 1, 2, 3, 5]);
  expect(keptByUse(cut, [5], usage, { maxVocab: 6 }).counts).toEqual({ always: 4, chosen: 2, parts: 0 });
  expect([...keptByUse(cut, [], usage, { keepMass: 0.9 }).ids]).toEqual([0, 1, 2, 3, 4]);
  expect(() => keptByUse(cut, [5], usage, { maxVocab: 3 })).toThrow("4 tokens always stay");
});

test.each([
  ["a merge that names a token which is not there", { merges: ["a z"] }, /model\.merges\.0.*"z"/],
  ["a merge without a result", { merges: ["b a"] }, /model\.merges\.0.*"ba"/],
  ["a merge that leads back", { merges: [["a", ""]] }, /leads back/],
  ["a suffix at the ends of words", { merges: [], end_of_word_suffix: "</w>" }, /end_of_word_suffix/],
] as const)("%s is refused", async (_, fields, message) => {
  await expect(bpe(["a", "b", "ab", ""], fields.merges as never, fields)).rejects.toThrow(message);
});

test("ids that a post-processor adds follow, of each kind that is known", async () => {
  const processor = {
    type: "Sequence",
    processors: [
      { type: "ByteLevel" },
      { type: "BertProcessing", sep: ["b", 1], cls: ["a", 0] },
      { type: "TemplateProcessing", single: [], special_tokens: { b: { id: "b", ids: [1], tokens: ["b"] } } },
    ],
  };
  const file = {
    post_processor: processor,
    padding: { pad_id: 1 },
    model: { type: "WordLevel", unk_token: "?", vocab: { a: 0, b: 1, "?": 2, c: 3 } },
  };
  const cut = await open(file);
  expect([...cut.referenced]).toEqual([1, 0, 1].filter((id, i, all) => all.indexOf(id) === i));
  const trimmed = JSON.parse(
    cut.trimmed(
      new Map([
        [1, 0],
        [2, 1],
        [0, 5],
      ]),
    ),
  );
  expect(trimmed.post_processor.processors.slice(1)).toEqual([
    { type: "BertProcessing", sep: ["b", 0], cls: ["a", 5] },
    { type: "TemplateProcessing", single: [], special_tokens: { b: { id: "b", ids: [0], tokens: ["b"] } } },
  ]);
  expect(trimmed.padding.pad_id).toBe(0);
  await expect(open({ ...file, post_processor: { type: "Other" } })).rejects.toThrow(/post_processor\.type/);
});
