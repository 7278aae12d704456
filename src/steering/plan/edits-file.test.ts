import { describe, expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import { readEdits } from "./edits-file.js";

const read = (text: string, name = "edits.yaml") => readEdits(bytesSource(name, new TextEncoder().encode(text)));
const pairs = async (text: string) => (await read(text)).map(({ token, spec }) => [token, spec]);

describe("edits are read", () => {
  test.each<[string, string, unknown[][]]>([
    [
      "a list of objects",
      '- token: " the"\n  spec: x0.5\n- {token: id:3, spec: ban}\n',
      [
        [" the", "x0.5"],
        ["id:3", "ban"],
      ],
    ],
    [
      "a list of TOKEN=SPEC",
      '- " the=x0.5"\n- id:3=ban\n',
      [
        [" the", "x0.5"],
        ["id:3", "ban"],
      ],
    ],
    [
      "an object",
      '" the": 0.5\nid:3: ban\n',
      [
        [" the", 0.5],
        ["id:3", "ban"],
      ],
    ],
    [
      "JSON",
      '[\n\t{"token": " the", "spec": 2e-1},\n\t{"token": "\\ud83d\\ude00", "spec": "p=0.1"}\n]',
      [
        [" the", 0.2],
        ["😀", "p=0.1"],
      ],
    ],
    [
      "signs as log-odds",
      '{"a": -2, b: +0.5, c: "-1"}',
      [
        ["a", "-2"],
        ["b", "+0.5"],
        ["c", "-1"],
      ],
    ],
    [
      "words of YAML as the texts that they are",
      "null: x2\n1.0: x3\nyes: x4\n0x10: x5\n~: x6\n",
      [
        ["null", "x2"],
        ["1.0", "x3"],
        ["yes", "x4"],
        ["0x10", "x5"],
        ["~", "x6"],
      ],
    ],
    ["quotes of TOKEN itself", `'"\\n"': ban`, [['"\\n"', "ban"]]],
  ])("%s", async (_, text, wanted) => {
    expect(await pairs(text)).toEqual(wanted);
  });
  test("with their lines, for messages", async () => {
    const [, second] = await read('- token: " the"\n  spec: x0.5\n- " sea=x2"\n');
    expect(second!.place).toBe("edits.yaml: line 3: edit 2");
    expect((await read('\n" sea": x2'))[0]!.place).toBe('edits.yaml: line 2: field " sea"');
  });
});

test.each<[string, string, RegExp]>([
  ["nothing", "", /^edits\.yaml: holds no edits/],
  ["a text", "the", /^edits\.yaml: line 1: holds no edits/],
  ["a list of lists", "- [a]\n", /line 1: edit 1 is neither TOKEN=SPEC nor an object/],
  ["no target", "- token: a\n", /line 1: edit 1: field "spec" is missing/],
  ["another field", "- spec: x2\n  token: a\n  sepc: x3\n", /edit 1: field "sepc" is not known/],
  ["a target that is none", '- " the"\n', /line 1: edit 1: is not TOKEN=SPEC/],
  ["an object as a target", "a:\n  b: x2\n", /field "a" is no text/],
  ["the same twice", "a: x2\nb: x2\na: x3\n", /line 3: names "a" twice/],
  ["an alias", "- &x a=x2\n- *x\n", /edit 2 is neither/],
  ["a tag", "- !!js/function a=x2\n", /line 1: Unresolved tag/],
  ["two documents", "a: x2\n---\nb: x2\n", /line 2|line 3/],
  ["broken YAML", '"a: x2\n', /^edits\.yaml: line \d/],
  ["broken JSON", '[{"token": "a", "spec": }', /^edits\.yaml: line 1/],
])("%s is refused by file and line", async (_, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test.each(["[", "{", "- ", "? ", "[{"])("a hundred thousand times %j is refused", async (opening) => {
  await expect(read(opening.repeat(100_000))).rejects.toThrow(/nested too deep/);
});

test("what is no text is refused", async () => {
  await expect(readEdits(bytesSource("x.yaml", Uint8Array.of(0x61, 0xff)))).rejects.toThrow(/not valid UTF-8/);
});

test("an edit for every token of a large vocabulary, in time that grows with their number", async () => {
  const object = Object.fromEntries(Array.from({ length: 30_000 }, (_, id) => [`id:${id}`, 0.5]));
  expect(await read(JSON.stringify(object), "edits.json")).toHaveLength(30_000);
  await expect(read('[{"token": "a", "spec": "x2", "token": "b"}]')).rejects.toThrow('line 1: names "token" twice');
});
