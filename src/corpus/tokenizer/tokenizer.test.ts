import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { openFolder } from "../../node/files/file-source.js";
import { bytesSource, type EndedAfter, type Folder } from "../../tensor/byte-source.js";
import { loadTokenizer } from "./tokenizer.js";

const tinyBooks = openFolder("assets/tiny-books");
const file = JSON.parse(readFileSync("assets/tiny-books/tokenizer.json", "utf8"));

/** A folder of JSON files. */
function folder(files: Record<string, unknown>): Folder {
  return {
    name: "model",
    async open(name) {
      if (!Object.hasOwn(files, name)) return undefined;
      const content = files[name];
      const text = typeof content === "string" ? content : JSON.stringify(content);
      return bytesSource(`model/${name}`, new TextEncoder().encode(text));
    },
  };
}

const wordLevel = (vocab: Record<string, number>) => ({
  added_tokens: [],
  pre_tokenizer: { type: "WhitespaceSplit" },
  model: { type: "WordLevel", vocab, unk_token: "<unk>" },
});

test("gives the ids that the Rust tokenizers gave", async () => {
  const tokenizer = await loadTokenizer(tinyBooks);
  const golden = JSON.parse(readFileSync("test/goldens/tiny-books/token-ids.json", "utf8"));
  const text = readFileSync("test/goldens/tiny-books/text.txt", "utf8");
  const ids = tokenizer.encode(text);
  expect(ids.length).toBe(golden.text.count);
  expect(ids.slice(0, golden.text.first.length)).toEqual(golden.text.first);
  expect(ids.slice(-golden.text.last.length)).toEqual(golden.text.last);
  expect(tokenizer.decode(ids)).toBe(text);
  const check = tokenizer.encode(readFileSync("test/goldens/tiny-books/check.txt", "utf8"));
  expect(check.length).toBe(golden.check.count);
  expect(check.slice(0, golden.check.first.length)).toEqual(golden.check.first);
});

test("finds special tokens in the text and adds none", async () => {
  const tokenizer = await loadTokenizer(tinyBooks);
  const [a, b] = [tokenizer.encode("One."), tokenizer.encode(" Two")];
  expect(tokenizer.encode("One.<|endoftext|> Two")).toEqual([...a, 0, ...b]);
  expect(tokenizer.encode("")).toEqual([]);
  expect(tokenizer.decode([])).toBe("");
});

test("knows its ids and their text", async () => {
  const tokenizer = await loadTokenizer(tinyBooks);
  expect(tokenizer).toMatchObject({ vocabSize: 8192, beginOfText: 0, endOfText: 0 });
  expect([0, 8191, 8192, -1, 0.5].map(tokenizer.produces)).toEqual([true, true, false, false, false]);
  expect([0, 1, 221, 9999].map(tokenizer.tokenText)).toEqual(["<|endoftext|>", "!", " ", ""]);
  const [the] = tokenizer.encode(" the");
  expect(tokenizer.tokenText(the!)).toBe(" the");
  // One byte of a character of several.
  expect(tokenizer.tokenText(tokenizer.encode("\u{1f600}")[0]!)).toContain("\ufffd");
});

test("shows marks for spaces and bytes as what they stand for", async () => {
  const tokenizer = await loadTokenizer(
    folder({
      "tokenizer.json": {
        added_tokens: [{ id: 4, content: "\u2581<s>", special: true }],
        pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always" },
        decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Metaspace" }] },
        model: {
          type: "BPE",
          vocab: { "\u2581a": 0, "<0x0A>": 1, "<0xE4>": 2, a: 3, "\u2581": 6 },
          merges: ["\u2581 a"],
        },
      },
    }),
  );
  // As in the Rust tokenizers an added token's id is the next after as many as the model has, whatever the file says.
  expect([0, 1, 2, 3, 4, 5].map(tokenizer.tokenText)).toEqual([" a", "\n", "\ufffd", "a", "", "\u2581<s>"]);
  expect(tokenizer.produces(4)).toBe(false);
  expect(tokenizer.vocabSize).toBe(7);
  expect(tokenizer.encode("a a")).toEqual([0, 0]);
});

test("takes begin and end of text from tokenizer_config.json, else from config.json, else the end by its usual name", async () => {
  const json = wordLevel({ "<unk>": 0, "<s>": 1, "</s>": 2 });
  const ends = async (files: Record<string, unknown>) => {
    const { beginOfText, endOfText } = await loadTokenizer(folder({ "tokenizer.json": json, ...files }));
    return [beginOfText, endOfText];
  };
  const config = { bos_token_id: 1, eos_token_id: [2, 1] };
  expect(await ends({})).toEqual([undefined, 2]);
  expect(await ends({ "tokenizer_config.json": { eos_token: null } })).toEqual([undefined, undefined]);
  expect(await ends({ "config.json": config })).toEqual([1, 2]);
  expect(
    await ends({ "tokenizer_config.json": { bos_token: null, eos_token: { content: "<s>" } }, "config.json": config }),
  ) //
    .toEqual([undefined, 1]);
  expect(await ends({ "config.json": { bos_token_id: 7, eos_token_id: "2" } })).toEqual([undefined, undefined]);
});

test("a token named __proto__ is a token", async () => {
  const text = `{"added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"WordLevel","vocab":{"__proto__":1,"constructor":2,"<unk>":0},"unk_token":"<unk>"}}`;
  const tokenizer = await loadTokenizer(folder({ "tokenizer.json": text }));
  expect(tokenizer.encode("__proto__ constructor toString")).toEqual([1, 2, 0]);
  expect(tokenizer.tokenText(1)).toBe("__proto__");
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /^model\/tokenizer.json: is not JSON/],
  ["no object", [], /^model\/tokenizer.json: the whole cannot be used/],
  ["no model", {}, /field "model" /],
  ["another kind of model", { model: { type: "Magic", vocab: {} } }, /field "model.type" is "Magic"; known: BPE/],
  ["no vocabulary", { model: { type: "BPE", merges: [] } }, /field "model.vocab" is missing or empty/],
  [
    "an id that is no number",
    wordLevel({ a: "1" as unknown as number }),
    /field "model.vocab" gives "a" no number for an id/,
  ],
  ["an id beyond reason", wordLevel({ a: 4e9 }), /field "model.vocab" gives "a" the id 4000000000/],
  ["a negative id", wordLevel({ a: -1 }), /field "model.vocab" gives "a" the id -1/],
  ["merges that are none", { ...file, model: { ...file.model, merges: ["ab"] } }, /field "model.merges"/],
  ["no merges", { ...file, model: { ...file.model, merges: undefined } }, /field "model.merges"/],
  ["an added token without id", { ...file, added_tokens: [{ content: "x" }] }, /field "added_tokens.0.id"/],
  ["an unknown step", { ...file, pre_tokenizer: { type: "Nonsense" } }, /field "pre_tokenizer.type" is "Nonsense"/],
  [
    "a bad pattern",
    { ...file, pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
    /field "pre_tokenizer.pattern.Regex" is a pattern that cannot be used/,
  ],
  [
    "a step without a pattern",
    { ...file, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { String: 5 } }] } },
    /field "pre_tokenizer.pretokenizers.0.pattern" cannot be used: neither a String nor a Regex/,
  ],
  [
    "a list of tokens where ids are wanted",
    { model: { type: "BPE", vocab: [["a", 0]], merges: [] } },
    /field "model.vocab" is a list/,
  ],
  [
    "an id nested without end",
    JSON.stringify(wordLevel({ a: 0 })).replace('"a":0', `"a":${"[".repeat(9e3)}${"]".repeat(9e3)}`),
    /gives "a" no number for an id/,
  ],
  [
    "merges of tokens that it lacks",
    { model: { type: "BPE", vocab: { a: 0 }, merges: [["a", "b"]] } },
    /field "model.merges.0" needs the token "b"/,
  ],
  ["dropout", { model: { type: "BPE", vocab: { a: 0 }, merges: [], dropout: 0.1 } }, /field "model.dropout" is 0.1/],
  [
    "a mark of several letters",
    { ...file, pre_tokenizer: { type: "Metaspace", replacement: "ab" } },
    /field "pre_tokenizer.replacement"/,
  ],
  [
    "a map that is none",
    { ...file, normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } },
    /field "normalizer.precompiled_charsmap" is not a map/,
  ],
  ["a score that is none", { model: { type: "Unigram", vocab: [["a", 0], ["b"]] } }, /field "model.vocab.1"/],
  ["an unknown id beyond", { model: { type: "Unigram", vocab: [["a", 0]], unk_id: 3 } }, /field "model.unk_id"/],
])("refuses a tokenizer.json with %s", async (_, json, message) => {
  const loading = loadTokenizer(folder({ "tokenizer.json": json }));
  await expect(loading).rejects.toThrow(InputError);
  await expect(loading).rejects.toThrow(message);
});

test("refuses steps inside steps without end", async () => {
  const depth = 20_000;
  const steps = `${'{"type":"Sequence","pretokenizers":['.repeat(depth)}{"type":"ByteLevel"}${"]}".repeat(depth)}`;
  const json = `{"pre_tokenizer":${steps},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}`;
  const loading = loadTokenizer(folder({ "tokenizer.json": json }));
  await expect(loading).rejects.toThrow(
    /^model\/tokenizer.json: field "pre_tokenizer\.[a-z.0]*" is nested too deep to be used/,
  );
});

test("refuses a folder without tokenizer.json and a text that it can't express", async () => {
  await expect(loadTokenizer(folder({}))).rejects.toThrow(/^model: tokenizer.json is missing/);
  const json = { ...wordLevel({ a: 0 }), model: { type: "WordLevel", vocab: { a: 0 } } };
  const tokenizer = await loadTokenizer(folder({ "tokenizer.json": json }));
  expect(() => tokenizer.encode("a b")).toThrow(/field "model.unk_token" is missing/);
});

test("ends a tokenizer whose tokens are compared with a text from each of its places", async () => {
  const limited = async (length: number) => {
    const vocab = [
      ["<unk>", 0],
      ["a", -1],
      ["a".repeat(length), -2],
    ];
    const json = { model: { type: "Unigram", unk_id: 0, vocab } };
    return loadTokenizer({ ...folder({ "tokenizer.json": json }), endedAfter: () => undefined });
  };
  const [real, made] = [await limited(64), await limited(3000)];
  expect(real.encode("a".repeat(63))).toEqual(Array(63).fill(1));
  expect(() => made.encode("a")).toThrow(/^model\/tokenizer.json: has a pattern or a token that takes too long/);
});

test("refuses a text in which several tokens normalise to one, of which the Rust tokenizers take any", async () => {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  const added_tokens = ["<AB>", "<Ab>"].map((content, index) => ({ ...plain, content, id: 500 + index }));
  const tokenizer = await loadTokenizer(
    folder({ "tokenizer.json": { ...file, added_tokens, normalizer: { type: "Lowercase" } } }),
  );
  expect(tokenizer.encode("a b").length).toBeGreaterThan(0);
  expect(() => tokenizer.encode("a <aB>")).toThrow(
    'field "added_tokens" has several tokens that normalise to "<ab>", which stands in the text',
  );
});

test("takes characters that Unicode 17 has new for unassigned in patterns, as Oniguruma does", async () => {
  const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Removed", invert: true });
  const model = { type: "WordLevel", vocab: { u: 0, "a\u0295": 1, "\u00e9": 2 }, unk_token: "u" };
  const ids = async (pattern: string, text: string) =>
    (await loadTokenizer(folder({ "tokenizer.json": { model, pre_tokenizer: split(pattern) } }))).encode(text);
  expect(await ids("\\p{L}+", "\u00e9\ua7ce\u00e9\u{323b0}\u00e9")).toEqual([2, 2, 2]);
  expect(await ids("\\p{Ll}+", "a\u0295")).toEqual([1]);
});

test("ends a pattern that takes too long, and text that grows without end", async () => {
  const slow = { type: "Split", pattern: { Regex: "(\\p{L}+)+$" }, behavior: "Isolated", invert: false };
  const json = { ...file, pre_tokenizer: { type: "Sequence", pretokenizers: [slow, file.pre_tokenizer] } };
  const given: number[] = [];
  let isSlow = false;
  const endedAfter: EndedAfter = (milliseconds, work) => {
    given.push(milliseconds);
    return isSlow ? undefined : { result: work() };
  };
  const tokenizer = await loadTokenizer({ ...folder({ "tokenizer.json": json }), endedAfter });
  tokenizer.encode("a few words");
  isSlow = true;
  expect(() => tokenizer.encode("more of them")).toThrow(
    /^model\/tokenizer.json: has a pattern or a token that takes too long/,
  );
  expect(Math.max(...given)).toBeLessThanOrEqual(3000);
  const twice = { type: "Replace", pattern: { String: "e" }, content: "e".repeat(10) };
  const growing = { ...file, normalizer: { type: "Sequence", normalizers: Array(8).fill(twice) } };
  const grown = await loadTokenizer(folder({ "tokenizer.json": growing }));
  expect(() => grown.encode("e".repeat(500))).toThrow(
    /field "normalizer.normalizers.[1-7]" makes more than \d+ characters/,
  );
});
