import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, type Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { openFolder } from "../../node/files/file-source.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { begunCharacter } from "./begun-characters.js";
import { editDistance, nearTokens } from "./near-tokens.js";
import { selectTokens } from "./token-selector.js";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
});

const lists: Record<string, string> = {
  "some.txt": "id:5\n the\n\n/^ seal?$/\n",
  "empty.txt": "\n",
  "nested.txt": "@file:some.txt",
  "typo.txt": "\ufeffid:5\r\n\r\n teh sea\r\n",
};
const select = (selector: string) => selectTokens(selector, tokenizer, { readList: async (path) => lists[path]! });
const texts = async (selector: string) => (await select(selector)).map((id) => tokenizer.tokenText(id));

describe("tokens are found", () => {
  test.each([" the", '" the"', '"\\u0020the"'])("by their text: %s", async (selector) => {
    expect(await select(selector)).toEqual([261]);
  });
  test("by id, pattern and list", async () => {
    expect(await select("id:262")).toEqual([262]);
    expect(await texts("\\n")).toEqual(["\n"]);
    expect(await texts("/^ the(re)?$/u")).toEqual([" the", " there"]);
    const listed = await select("@file:some.txt");
    expect(listed).toEqual([...listed].sort((a, b) => a - b));
    expect(listed).toContain(5);
    expect(listed).toContain(261);
  });
  test("by script", async () => {
    const latin = new Set(await select("@script:Latin"));
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      const text = tokenizer.tokenText(id);
      if (text.includes("\ufffd")) continue;
      expect(latin.has(id)).toBe(/\p{Script=Latin}/u.test(text) && id !== tokenizer.endOfText);
    }
  });
  test("by their forms, with what is left out", async () => {
    const notes: string[] = [];
    const ids = await selectTokens("@forms:LORD", tokenizer, { onNote: (note) => notes.push(note) });
    expect(ids.map((id) => tokenizer.tokenText(id)).sort()).toEqual([" Lord", " lord"]);
    expect(notes).toEqual([
      'forms of several tokens are left out: "LORD", " LORD", "lord", "Lord" (@word: edits such)',
    ]);
    expect(await texts("@forms: the")).toEqual([" the", " The", "The", "the", " THE"]);
  });
});

describe("special tokens", () => {
  test("are found by their text and id", async () => {
    expect(await select("<|endoftext|>")).toEqual([0]);
    expect(await select("id:0")).toEqual([0]);
  });
  test("are in no pattern", async () => {
    expect(await select("/end/")).not.toContain(0);
    await expect(select("/endoftext/")).rejects.toThrow(/matches no token \(special ones/);
    // All others are everything.
    await expect(select("/^[^|]*$|^[^<]*$/")).rejects.toThrow(/matches all 8191 tokens/);
  });
});

describe("a vocabulary with a token for every byte", () => {
  let llama: Tokenizer;
  beforeAll(async () => {
    const file = bytesSource("tokenizer.json", readFileSync("test/goldens/tokenizers/llama2.json"));
    const open = async (name: string) => (name === file.name ? file : undefined);
    llama = await loadTokenizer({ name: "llama2", open });
  });
  test("has a letter's own token for the letter", async () => {
    const [id] = await selectTokens("e", llama);
    expect([llama.entry(id!), llama.tokenText(id!)]).toEqual(["e", "e"]);
  });
  test("does not take the token for what is unknown, or a byte's, for a text", async () => {
    await expect(selectTokens("\ufffd", llama)).rejects.toThrow(/is shown by \d+ tokens; .*id:\d+ \(entry "<0x80>"\)/);
    await expect(selectTokens("\u2603", llama)).rejects.toThrow(/is \d tokens|is no token/);
  });
});

describe("pieces of characters", () => {
  const entries = async (name: string, selector: string) => {
    const file = bytesSource("tokenizer.json", readFileSync(`test/goldens/tokenizers/${name}.json`));
    const open = async (asked: string) => (asked === file.name ? file : undefined);
    const there = await loadTokenizer({ name, open });
    const notes: string[] = [];
    const ids = await selectTokens(selector, there, { onNote: (note) => notes.push(note) });
    return { found: ids.map((id) => there.entry(id)), notes };
  };
  test("that begin emoji are among the emoji, and what else they begin is said", async () => {
    const { found, notes } = await entries("gpt2", "@emoji");
    // F0; F0 9F; F0 9F 91; a joiner and F0 9F 91; a space and F0 9F.
    expect(found).toEqual(["ð", "ðŁ", "ðŁĳ", "âĢįðŁĳ", "ĠðŁ"]);
    expect(notes[0]).toMatch(
      /<F0> \(id:173\) begins [\d,]+ of @emoji and [\d,]+ other characters \(.*<F0 9F 91> \(id:296\) begins 64 of @emoji;/,
    );
    expect(notes[1]).toMatch(/left out.*<E2 80> \(id:310\) begins 2 of @emoji and \d+ other characters \(.*’/);
    expect((await entries("llama2", "@emoji")).found).toContain("<0xF0>");
  });
  test("belong to the script that they begin", async () => {
    expect((await entries("llama2", "@script:Cyrillic")).found).toEqual([..."01234"].map((digit) => `<0xD${digit}>`));
    const { found, notes } = await entries("gpt2", "@script:Han");
    expect(found).toEqual(expect.arrayContaining(["ä", "å", "é", "çķ", "ä½ł"]));
    expect(found).not.toContain("ð");
    expect(notes[0]).toMatch(/<E5> \(id:162\) begins 4,096 of @script:Han;/);
  });
  test.each<[number[], ReturnType<typeof begunCharacter>]>([
    [[0xf0, 0x9f], { before: "", first: 0x1f000, last: 0x1ffff }],
    [[0x20, 0xe2, 0x80], { before: " ", first: 0x2000, last: 0x203f }],
    [[0xe0], { before: "", first: 0x800, last: 0xfff }],
    [[0xf4], { before: "", first: 0x100000, last: 0x10ffff }],
    [[0xf0, 0x9f, 0x98, 0x80], undefined],
    [[0x9f], undefined],
    [[0x98, 0xf0], undefined],
    [[0x41], undefined],
    [[0xf4, 0x9f], undefined],
  ])("%j begins %j", (bytes, begun) => {
    expect(begunCharacter(bytes)).toEqual(begun);
  });
});

describe("where there is no such token, those near it are offered", () => {
  const texts = (text: string) => nearTokens(text, tokenizer).map((id) => tokenizer.tokenText(id));
  test.each([
    ["Captin", [" Captain", " captain"]],
    [" THE ", [" the", " The"]],
    ["whitch", [" which"]],
  ])("%s", (text, wanted) => {
    expect(texts(text)).toEqual(expect.arrayContaining(wanted));
  });
  test("the nearest first, and tokens that begin alike where none is near", () => {
    expect(texts(" shipp")[0]).toBe(" ship");
    expect(
      texts(" transubstantiation").every((text) => " transubstantiation".includes(text.trim().toLowerCase())),
    ).toBe(true);
  });
  test.each([
    ["abc", "abc", 0],
    ["abc", "axc", 1],
    ["abc", "bc", 1],
    ["", "ab", 2],
    ["kitten", "sitting", 3],
    ["abcdef", "uvwxyz", 4],
  ])("%s is %s after %d changes", (a, b, distance) => {
    expect(editDistance(a, b, 3)).toBe(distance);
  });
});

test.each([
  ["\\ufffd", /is shown by \d+ tokens; name one by its id: id:95 \(entry .*\), .* more$/],
  ["", /is empty/],
  ["@file:", /names no file/],
  ["@file:typo.txt", /^typo\.txt: line 3: token " teh sea": is 3 tokens/],
  [" antidisestablish", /is \d tokens: " ant/],
  ["xylo", /is \d tokens.*; as a word of several tokens it is @word:xylo; name each/],
  ["@word:xylo", /is a word of several tokens, which is an edit by itself/],
  ["id:99999", /does not exist: the tokenizer has ids up to 8191/],
  ["/zzzzzz/", /matches no token/],
  ["/(?:)/", /matches all \d+ tokens/],
  ["/(/", /Invalid regular expression/],
  ["@script:Klingon", /is no Unicode script/],
  ["@scripts", /is no set/],
  ["@script:Runic", /matches no token.*; pieces that begin more of other things are left out.*<E1> \(id:158\)/],
  ["@forms:", /is empty: @forms:WORD/],
  ["@forms:Zzyzx", /none of its forms is one token: "Zzyzx", " Zzyzx".*@word:Zzyzx/],
  ["@file:empty.txt", /lists no token/],
  ["@file:nested.txt", /names another list/],
  ["\\q", /broken escape/],
])("%s is refused", async (selector, message) => {
  await expect(select(selector)).rejects.toThrow(message);
});
