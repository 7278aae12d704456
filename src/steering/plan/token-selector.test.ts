import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, type Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { openFolder } from "../../node/files/file-source.js";
import { bytesSource } from "../../tensor/byte-source.js";
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
      expect(latin.has(id)).toBe(/\p{Script=Latin}/u.test(tokenizer.tokenText(id)) && id !== tokenizer.endOfText);
    }
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
  ["xylo", /is \d tokens/],
  ["id:99999", /does not exist: the tokenizer has ids up to 8191/],
  ["/zzzzzz/", /matches no token/],
  ["/(?:)/", /matches all \d+ tokens/],
  ["/(/", /Invalid regular expression/],
  ["@script:Klingon", /is no Unicode script/],
  ["@scripts", /is no set/],
  ["@emoji", /matches no token/],
  ["@file:empty.txt", /lists no token/],
  ["@file:nested.txt", /names another list/],
  ["\\q", /broken escape/],
])("%s is refused", async (selector, message) => {
  await expect(select(selector)).rejects.toThrow(message);
});
