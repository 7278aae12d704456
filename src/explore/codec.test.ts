import { expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "./codec.js";

test("arrays and numbers of every kind come back as they were", () => {
  const message = {
    a: Float32Array.of(1.5, Number.NaN, -0),
    b: Float64Array.of(1e-300),
    c: [{ d: Int32Array.of(-1), e: Number.POSITIVE_INFINITY, f: null, g: "$", h: new Uint8Array(0) }],
  };
  expect(decodeMessage(encodeMessage(message))).toEqual(message);
  // A part of a buffer travels without the rest.
  expect(decodeMessage(encodeMessage(new Uint8Array([1, 2, 3]).subarray(1, 2)))).toEqual(Uint8Array.of(2));
});

test("what is no message is refused by name", () => {
  expect(() => decodeMessage("{")).toThrow("message: is no JSON");
  expect(() => decodeMessage('{"$":"f32","value":"AAA="}')).toThrow("ends too soon");
  expect(() => decodeMessage('{"$":"f32","value":"!"}')).toThrow("not base64");
  expect(() => decodeMessage('{"$":"constructor","value":""}')).toThrow("unknown kind");
  expect(() => decodeMessage('{"$":"f32","value":1}')).toThrow("none");
  expect(() => decodeMessage("[".repeat(50) + "]".repeat(50))).toThrow("nested too deep");
  expect(() => encodeMessage({ file: new Blob(["x"]) })).toThrow("was not read");
});
