import fc from "fast-check";
import { expect, test } from "vitest";
import { readAddress, writeAddress } from "./address.js";
import type { Address } from "./address-view.js";
import { initialChoices } from "./initial-state.js";

const name = fc.string({ minLength: 1, maxLength: 20 });
const position = fc.oneof(fc.constant("ban" as const), fc.double({ min: 1e-3, max: 1e3, noNaN: true }));
const address: fc.Arbitrary<Address> = fc.record({
  room: fc.constantFrom("open", "read", "steer", "home" as const),
  model: fc.option(
    name.map((one) => ({ kind: "hub" as const, name: one })),
    { nil: undefined },
  ),
  text: fc.option(
    name.map((one) => ({ kind: "offered" as const, name: one })),
    { nil: undefined },
  ),
  tokens: fc.option(fc.integer({ min: 16, max: 200_000 }), { nil: undefined }),
  choices: fc.record({
    prompt: fc.string(),
    edits: fc.array(fc.record({ selector: name, position }), { maxLength: 4 }),
    method: fc.constantFrom("nearest" as const, "constant" as const),
    lambda: fc.constantFrom(1e-4, 1e-6),
    writing: fc.record({
      ...{ tokens: fc.integer({ min: 1, max: 400 }), seed: fc.nat(1000), temperature: fc.constantFrom(0, 0.7) },
      ...{ topK: fc.constantFrom(null, 5), topP: fc.constantFrom(null, 0.9) },
    }),
    shrink: fc.option(fc.record({ kept: fc.integer({ min: 1, max: 99 }), rescore: fc.nat(99) })),
    trim: fc.option(fc.integer({ min: 1, max: 9999 })),
  }),
});

test("a link opens what it was made of", () => {
  fc.assert(
    fc.property(address, (one) => {
      expect(readAddress(`#${writeAddress(one)}`)).toEqual(JSON.parse(JSON.stringify(one)));
    }),
    { numRuns: 50 },
  );
});

test("a fresh page has an empty link, and a link of anybody's making is checked", () => {
  expect(writeAddress({ room: "open", choices: initialChoices })).toBe("");
  expect(() => readAddress("k=0,0")).toThrow("link: field choices.shrink.kept");
  expect(() => readAddress("e=the=x5")).toThrow("link: field choices.edits.0.position");
  expect(() => readAddress("r=../../etc")).toThrow("link: field room");
  expect(() => readAddress("w={")).toThrow("link: field choices.writing");
});
