import { describe, expect, test } from "vitest";
import { parseStrictJson, quote, shown } from "./strict-json.js";

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

  test("drops a byte order mark, and reads NaN and infinities as Python writes them", () => {
    expect(parse("\uFEFF{}")).toEqual({});
    const { a, ...rest } = parse('{"a": NaN, "b": [-Infinity, "NaN \\" Infinity", -1], "Infinity": null}') as {
      a: number;
    };
    expect(Number.isFinite(a)).toBe(false);
    expect(rest).toEqual({ b: [Number.NEGATIVE_INFINITY, 'NaN " Infinity', -1], Infinity: null });
    for (const broken of ["{NaN: 1}", "NaNs", "[Inf]", '"NaN']) expect(() => parse(broken)).toThrow(/not JSON/);
    expect(() => parse('{"a": NaN, "a": 1}')).toThrow('header names "a" twice');
  });

  test("keeps __proto__ an ordinary name", () => {
    const value = parse('{"__proto__": {"polluted": true}}');
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("refuses broken JSON and broken UTF-8 in one line", () => {
    expect(() => parse('{"a":\n\n1,}')).toThrow(/^file: header is not JSON: [^\n]+$/);
    expect(() => parseStrictJson("file", "header", Uint8Array.of(0x22, 0xff, 0x22))).toThrow(
      "file: header is not valid UTF-8",
    );
  });
});

test("shown: any value in few characters, however deep or long", () => {
  const deep = `${"[".repeat(6000)}${"]".repeat(6000)}`;
  expect([JSON.parse(deep), { a: JSON.parse(deep) }].map((value) => shown(value))).toEqual(["[...]", "{...}"]);
  expect(["a\nb", Number.NaN, undefined, [1, null]].map((value) => shown(value))).toEqual([
    ...['"a\\nb"', "not a finite number", "nothing", "[1,null]"],
  ]);
  expect(shown("x".repeat(100), 10)).toBe('"xxxxxx...');
});

test("what is quoted stays short, whatever it is made of", () => {
  expect(quote("a".repeat(200))).toBe(`"${"a".repeat(200)}"`);
  expect(quote("a".repeat(201))).toBe(`"${"a".repeat(200)}..."`);
  for (const text of ["\u0007".repeat(150), `${"\n".repeat(190)}x`, "\ud800".repeat(5000)]) {
    expect(quote(text).length).toBeLessThan(210);
    expect(quote(text)).toMatch(/\.\.\."$/);
  }
});
