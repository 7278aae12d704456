import { describe, expect, it } from "vitest";
import { endedAfter } from "../../node/files/bounded-match.js";
import { compiledBans, type TextBan } from "./ban.js";
import { banMatcher } from "./matching.js";

const matcher = (bans: readonly TextBan[], ignoreCase = false) =>
  banMatcher(compiledBans(bans, ignoreCase), endedAfter);

/** Whether a text of two parts says something, given that its first part is the prompt. */
const says = (
  bans: readonly TextBan[],
  [prompt, written]: [string, string],
  { whole = false, ignoreCase = false } = {},
) => matcher(bans, ignoreCase).says(prompt + written, prompt.length, prompt.length, whole);

describe("phrases", () => {
  it.each<[string, TextBan, [string, string], boolean]>([
    ["within what was written", "an AI", ["I", " am an AI"], true],
    ["begun by the prompt", "an AI", ["I am an ", "AI"], true],
    ["in the prompt alone", "an AI", ["an AI", " is"], false],
    ["in another case", "an ai", ["I", " am an AI"], false],
    ["with characters that patterns use", "a.b*c/?", ["", "a.b*c/?"], true],
    ["not as a pattern", "a.b", ["", "axb"], false],
    ["far in a long text", "an AI", ["x".repeat(9000), ` an AI`], true],
  ])("%s", (_, ban, text, found) => {
    expect(says([ban], text)).toBe(found);
  });

  it("in any case, where that is asked for", () => {
    expect(says(["\u00c9T\u00c9"], ["", "l'\u00e9t\u00e9"], { ignoreCase: true })).toBe(true);
    expect(says(["/an ai/"], ["", "an AI"], { ignoreCase: true })).toBe(true);
  });
});

describe("patterns", () => {
  const capitals = String.raw`/\b[A-Z]{4,}\b/u`;
  it("count once nothing that follows can undo them, or nothing follows", () => {
    expect(says([capitals], ["", "the NATO"])).toBe(false);
    expect(says([capitals], ["", "the NATO"], { whole: true })).toBe(true);
    expect(says([capitals], ["", "the NATO "])).toBe(true);
    expect(says([capitals], ["", "the NATOs"], { whole: true })).toBe(false);
    expect(says([/[A-Z]{4}/], ["", "the NATO"])).toBe(true);
    expect(says(["/cat(?!s)/"], ["", "cat"])).toBe(false);
    expect(says(["/cat(?!s)/"], ["", "cat."])).toBe(true);
  });

  it("see the prompt before what was written", () => {
    expect(says([/(?<=an )AI/], ["I am an ", "AI"])).toBe(true);
    expect(says([/^AI/], ["I am an ", "AI"])).toBe(false);
  });

  it("may be sticky or global and match the same", () => {
    const ban = /AI/gy;
    for (let i = 0; i < 3; i++) expect(says([ban], ["", "an AI"])).toBe(true);
  });
});

it("finds what the prompt says, but for bans of any text whatever", () => {
  expect(matcher(["x", "/an (AI|ai)/"]).saidByPrompt("I am an AI")).toBe('ban "/an (AI|ai)/"');
  expect(matcher([/[\s\S]/]).saidByPrompt("I am an AI")).toBeUndefined();
});

it.each<[string, TextBan, RegExp]>([
  ["the empty phrase", "", /ban "": matches the empty text/],
  ["a pattern of nothing", "/a*/", /ban "\/a\*\/": matches the empty text/],
  ["no pattern", "/(/", /ban "\/\(\/": is no pattern: Invalid regular expression/],
  ["flags that are none", "/a/kk", /is no pattern: Invalid flags/],
])("%s is refused", (_, ban, message) => {
  expect(() => matcher([ban])).toThrow(message);
});

it("stops patterns that try every way of splitting a text", () => {
  const hurried = banMatcher(compiledBans([/(a+)+b/], false), (_, work) => endedAfter(50, work));
  const text = "a".repeat(40);
  const message = /^ban \/\(a\+\)\+b\/: takes more than 3 s to match; write it without repeats inside repeats$/;
  expect(() => hurried.says(text, 0, 0, false)).toThrow(message);
  expect(() => hurried.together(() => hurried.says(text, 0, 0, false))).toThrow(/takes more than 60 s/);
});
