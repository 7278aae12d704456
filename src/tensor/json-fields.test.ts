import fc from "fast-check";
import { expect, test } from "vitest";
import { withFields, withNestedFields } from "./json-fields.js";

test("a field that is there gets another value, and the rest of the text stays", () => {
  const text = '{\n  "a": 30.0, "t\\u0065st": {"b": [1, {"test": "}\\","}]},\n  "z": 1e-5\n}\n';
  expect(withFields(text, { test: false })).toBe('{\n  "a": 30.0, "t\\u0065st": false,\n  "z": 1e-5\n}\n');
  expect(withFields(text, { z: { deep: [1] } })).toBe(text.replace("1e-5", '{"deep":[1]}'));
});

test("a field that is not there is put first", () => {
  expect(withFields('{"a": {"b": 30.0}}', { b: null })).toBe('{\n  "b": null,"a": {"b": 30.0}}');
  expect(withFields("{ }", { b: 1 })).toBe('{\n  "b": 1 }');
});

test("as if the object had been changed, whatever it holds", () => {
  const names = fc.constantFrom("a", "b", '"', "}", "__x", "\\");
  const objects = fc.dictionary(names, fc.jsonValue(), { noNullPrototype: true });
  const indents = fc.constantFrom(undefined, 2);
  fc.assert(
    fc.property(objects, names, fc.jsonValue(), indents, (object, name, value, indent) => {
      const changed = JSON.parse(withFields(JSON.stringify(object, undefined, indent), { [name]: value }));
      expect(changed).toEqual(JSON.parse(JSON.stringify({ ...object, [name]: value })));
    }),
  );
});

test("strings longer than a regular expression's stack", () => {
  const text = `{"a": "${"\\n".repeat(5_000_000)}", "b": 1}`;
  expect(withFields(text, { b: 2 })).toBe(text.replace('"b": 1', '"b": 2'));
});

test("fields of an object inside are set in its own text, and nothing is where there is no such object", () => {
  const text = '{"a": 1.0, "inner": {"b": 30.0, "tied": true}, "c": {"tied": 1}}';
  expect(withNestedFields(text, "inner", { tied: false })).toBe(text.replace("true", "false"));
  expect(withNestedFields('{"inner": {}}', "inner", { tied: false })).toBe('{"inner": {\n  "tied": false}}');
  for (const other of ["b", "a", "missing"]) expect(withNestedFields(text, other, { tied: false })).toBe(text);
});
