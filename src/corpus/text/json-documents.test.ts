import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../errors.js";
import type { Document } from "../corpus.js";
import { jsonDocuments, jsonLinesDocuments } from "./json-documents.js";

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
}

async function texts(documents: AsyncIterable<Document>): Promise<string[]> {
  const found: string[] = [];
  for await (const document of documents) {
    if (!("text" in document)) throw new Error("a text is wanted");
    for await (const part of document.text) found.push(part);
  }
  return found;
}

const lines = (text: string, field = "text", size = 7) =>
  texts(jsonLinesDocuments("f.jsonl", inPieces(text, size), field));
const values = (text: string, field = "text", size = 7) => texts(jsonDocuments("f.json", inPieces(text, size), field));

test("reads a document a line", async () => {
  const text = '{"text": "a\\nb", "x": {"text": 1}}\n\n  \n"c"\n{"text":""}\n{"id": 3, "text": "d\\u0000"}';
  for (const size of [1, 3, 1000]) expect(await lines(text, "text", size)).toEqual(["a\nb", "c", "", "d\u0000"]);
  expect(await lines('{"body": "a"}', "body")).toEqual(["a"]);
  expect(await lines('"a"\n{"text":null}\n"b"')).toEqual(["a", "b"]);
  expect(await lines("")).toEqual([]);
});

test("documents are named by their line and set apart", async () => {
  const found = [];
  for await (const document of jsonLinesDocuments("f", inPieces('\n"a"\n"b"', 2), "text")) found.push(document);
  expect(found).toMatchObject([
    { name: "f line 2", separate: true },
    { name: "f line 3", separate: true },
  ]);
});

test("reads a list and values that follow each other", async () => {
  const list = '[ {"text": "]},[\\"{"},\n "b\\\\",\n{"a": [1, {"text": "no"}],\n "text":\n"c"} ]\n';
  for (const size of [1, 2, 5, 1000]) expect(await values(list, "text", size)).toEqual([']},["{', "b\\", "c"]);
  expect(await values('{"text":"a"}\n{"text":"b"} {\n"text":"c"}"d"')).toEqual(["a", "b", "c", "d"]);
  expect(await values("[]")).toEqual([]);
  expect(await values(" ")).toEqual([]);
});

test("gives back what JSON.stringify wrote, in any form and pieces", async () => {
  const document = fc.record({ text: fc.string({ unit: "grapheme" }), other: fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { maxLength: 8 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, 1, "\t"),
      async (documents, size, space) => {
        const wanted = documents.map(({ text }) => text);
        expect(await values(JSON.stringify(documents, null, space), "text", size)).toEqual(wanted);
        expect(await values(documents.map((d) => JSON.stringify(d, null, space)).join("\n"), "text", size)).toEqual(
          wanted,
        );
        expect(await lines(documents.map((d) => JSON.stringify(d)).join("\n"), "text", size)).toEqual(wanted);
      },
    ),
    { numRuns: 150 },
  );
});

test("a field that nobody asks for may be NaN, as Python writes it", async () => {
  const text = '{"text": "NaN", "score": NaN}\n{"score": [-Infinity], "text": "b"}';
  expect(await lines(text)).toEqual(["NaN", "b"]);
  expect(await values(`[${text.replace("\n", ",")}]`)).toEqual(["NaN", "b"]);
});

test("a path of names leads to a field inside, unless the whole is a field's name", async () => {
  const text = '{"a": {"b": "x", "c": ["y"]}}\n{"a.b": "z", "a": {"b": "no"}}\n{"a": null}\n{"a": {"b": null}}';
  expect(await lines(text, "a.b")).toEqual(["x", "z"]);
  expect(await lines('{"a": {"c": ["x", "y"]}}', "a.c.1")).toEqual(["y"]);
  await expect(lines('{"a": {"c": "x"}}', "a.b")).rejects.toThrow(
    'f.jsonl line 1: has no field "a.b"; the fields of "a": "c"',
  );
  await expect(lines('{"a": "x"}', "a.b")).rejects.toThrow('has no field "a.b"; the fields of "a": none');
});

test.each<[string, string, string]>([
  [
    "a missing field",
    '{"text":"a"}\n{"id":1,"body":"b"}',
    'f.jsonl line 2: has no field "text"; its fields: "id", "body"',
  ],
  ["a field of another kind", '\n{"text": 5}', 'f.jsonl line 2: field "text" is 5 where a text is wanted'],
  ["no text", "[1]", "f.jsonl line 1: is neither a text nor an object with one"],
  ["null", '"a"\nnull', "f.jsonl line 2: is neither"],
  ["a line that is cut off", '"a"\n{"text": "b', "f.jsonl line 2: is not JSON: "],
  ["NaN for a text", '{"text": NaN}', 'f.jsonl line 1: field "text" is not a finite number where a text is wanted'],
  [
    "a text nested too deep for a message",
    `{"text": ${"[".repeat(6000)}${"]".repeat(6000)}}`,
    'f.jsonl line 1: field "text" is [...] where a text is wanted',
  ],
  ["an inherited field", '{"a":1}', 'f.jsonl line 1: has no field "text"; its fields: "a"'],
])("refuses JSON lines with %s", async (_, text, message) => {
  await expect(lines(text)).rejects.toThrow(InputError);
  await expect(lines(text)).rejects.toThrow(message);
});

test("a field that every object inherits is not there", async () => {
  await expect(lines('{"a":1}', "constructor")).rejects.toThrow('has no field "constructor"');
  expect(await lines('{"__proto__":"a"}', "__proto__")).toEqual(["a"]);
});

test.each<[string, string, string]>([
  ["a missing field", '[{"text":"a"},\n{"id":1}]', 'f.json line 2: has no field "text"'],
  ["a list that is cut off", '["a",\n"b"', 'f.json: ends inside its list: the "]" is missing'],
  ["a list that ends after a comma", '["a",', "f.json: ends inside its list"],
  ["a value that is cut off", '["a",\n{"text": "b"', "f.json line 2: begins a value that has no end"],
  ["a string that is cut off", '"a', "f.json line 1: begins a value that has no end"],
  ["a missing comma", '["a"\n"b"]', 'f.json line 2: a "\\"" is not wanted there'],
  ["two commas", '["a",,"b"]', 'f.json line 1: a "," is not wanted there'],
  ["a comma at the end", '["a",]', 'f.json line 1: a "]" is not wanted there'],
  ["something after its list", '["a"]\n["b"]', 'f.json line 2: a "[" is not wanted there'],
  ["numbers", "[1, 2]", "f.json line 1: is neither a text"],
  ["a word", "nonsense", "f.json line 1: is not JSON"],
  ["wrong brackets", '[{"text": "a"]]', "f.json line 1: is not JSON"],
])("refuses a .json file with %s", async (_, text, message) => {
  for (const size of [1, 100]) {
    await expect(values(text, "text", size)).rejects.toThrow(InputError);
    await expect(values(text, "text", size)).rejects.toThrow(message);
  }
});

test("a line of more objects than can be kept is refused before it is parsed", async () => {
  const line = `{"text": "a", "y": [${"{},".repeat(6_000_000)}{}]}`;
  const refusal = "line 2: holds more than 4194304 lists, objects and names: no document does";
  await expect(lines(`"b"\n${line}`, "text", 2 ** 18)).rejects.toThrow(`f.jsonl ${refusal}`);
  await expect(values(`["b",\n${line}]`, "text", 2 ** 18)).rejects.toThrow(`f.json ${refusal}`);
});
