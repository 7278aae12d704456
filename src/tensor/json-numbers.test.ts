import { expect, test } from "vitest";
import { type JsonPath, withNumbers } from "./json-numbers.js";

test("numbers are changed where they stand, and nothing else is", () => {
  const text = '{ "a": 3, "b": [3, [4.0, 3], {"c": -3}], "d": "3, \\"a\\": 3", "e": 1000000000000000019884624838656 }';
  const seen: [number, JsonPath][] = [];
  const changed = withNumbers(text, {
    number(value, path) {
      seen.push([value, [...path]]);
      return value === 3 ? 77 : value;
    },
  });
  expect(changed).toBe(
    '{ "a": 77, "b": [77, [4.0, 77], {"c": -3}], "d": "3, \\"a\\": 3", "e": 1000000000000000019884624838656 }',
  );
  expect(seen).toEqual([
    [3, ["a"]],
    [3, ["b", 0]],
    [3, ["b", 1, 1]],
    [-3, ["b", 2, "c"]],
  ]);
});

test("names are changed at the path that is asked for", () => {
  const text = '{"ids": {"5": {"5": "5"}, "6": {}}, "5": 5}';
  const name = (own: string, path: JsonPath) =>
    path.length === 1 && path[0] === "ids" ? String(Number(own) + 1) : own;
  expect(withNumbers(text, { name })).toBe('{"ids": {"6": {"5": "5"}, "7": {}}, "5": 5}');
});

test.each(["{}", "[]", "7", '{"a":{}}', '{"__proto__": 1}'])("%s is left as it is", (text) => {
  expect(withNumbers(text, { number: (value) => value })).toBe(text);
});
