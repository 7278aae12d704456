import { describe, expect, test } from "vitest";
import { parseStrictJson } from "./strict-json.js";

const parse = (text: string) => parseStrictJson("file", "header", new TextEncoder().encode(text));

describe("parseStrictJson", () => {
  test("reads what JSON.parse reads", () => {
    for (const text of [
      '{"a": [1, {"b": "}{\\"", "c": {}}], "\\u00e9": null}',
      '[{"a": 1}, {"a": 2}]',
      '{"a": "a", "b": ["a", "a", {"a": "b"}], "c" :{"a": 1}}',
      '"\\\\"',
      " 1 ",
    ]) {
      expect(parse(text)).toEqual(JSON.parse(text));
    }
  });

  test("refuses a name given twice at any depth, however it is spelt", () => {
    expect(() => parse('{"a": 1, "b": 2, "a": 3}')).toThrow('file: header names "a" twice');
    expect(() => parse('{"a": 1, "\\u0061": 3}')).toThrow('file: header names "a" twice');
    expect(() => parse('[0, {"x": {"b" : 1, "c": [{}], "b"\n: 2}}]')).toThrow('file: header names "b" twice');
    expect(() => parse('{"__proto__": 1, "__proto__": 2}')).toThrow('file: header names "__proto__" twice');
  });

  test("keeps __proto__ an ordinary name", () => {
    const value = parse('{"__proto__": {"polluted": true}}');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("refuses broken JSON and broken UTF-8 in one line", () => {
    expect(() => parse('{"a":\n\n1,}')).toThrow(/^file: header is not JSON: [^\n]+$/);
    expect(() => parse("\uFEFF{}")).toThrow(/^file: header is not JSON/);
    expect(() => parseStrictJson("file", "header", Uint8Array.of(0x22, 0xff, 0x22))).toThrow(
      "file: header is not valid UTF-8",
    );
  });
});
