import { beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, type Tokenizer } from "../corpus/tokenizer.js";
import { openFolder } from "../node/file-source.js";
import { selectTokens } from "./token-selector.js";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
});

const lists: Record<string, string> = {
  "some.txt": "id:5\n the\n\n/^ seal?$/\n",
  "empty.txt": "\n",
  "nested.txt": "@file:some.txt",
};
const select = (selector: string) => selectTokens(selector, tokenizer, async (path) => lists[path]!);
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
      expect(latin.has(id)).toBe(/\p{Script=Latin}/u.test(tokenizer.tokenText(id)));
    }
  });
});

test.each([
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
  ["@file:nested.txt", /lists another list/],
  ["\\q", /broken escape/],
])("%s is refused", async (selector, message) => {
  await expect(select(selector)).rejects.toThrow(message);
});
