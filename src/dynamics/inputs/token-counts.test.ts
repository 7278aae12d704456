import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { writeNpy } from "../../tensor/npy.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { readTokenCounts } from "./token-counts.js";

const counts = [5, 0, 12, 1];
const array = { dtype: "I64" as const, shape: [4], data: BigInt64Array.from(counts, BigInt) };
const encode = (text: string) => new TextEncoder().encode(text);

const files: Record<string, Uint8Array> = {
  "counts.npy": writeNpy(array),
  "counts.safetensors": writeSafetensors([
    { name: "token_counts", ...array },
    { name: "other", ...array },
  ]),
  "one.safetensors": writeSafetensors([
    { name: "anything", dtype: "F64", shape: [4], data: Float64Array.from(counts) },
  ]),
  "array.json": encode("[5, 0, 12, 1]"),
  "object.json": encode('{"3": 1, "0": 5, "2": 12}'),
  "nested.json": encode('{"counts": {"0": 5, "2": 12, "3": 1}}'),
  "headed.csv": encode('token,id,count\r\n" a",0,5\r\n"b, ""c""\n",2,12\r\nd,3,1\r\n'),
  "bare.csv": encode("0\t5\n2\t12\n3\t1"),
  "column.csv": encode("5\n0\n12\n1\n"),
  "named-column.csv": encode("\ufeffcount\n5\n0\n12\n1\n"),
};

test.each(Object.entries(files))("reads %s", async (name, bytes) => {
  expect([...(await readTokenCounts(bytesSource(name, bytes)))]).toEqual(counts);
});

test.each<[string, string, RegExp]>([
  ["a.txt", "5", /must end in .npy, .safetensors, .json or .csv/],
  ["a.json", "[1, -2]", /id 1: -2 is not a count/],
  ["a.json", '[1, "2"]', /id 1: "2" is not a count/],
  ["a.json", "[]", /holds no counts/],
  ["a.json", "7", /neither an array of counts nor an object/],
  ["a.json", '{"x": 1}', /"x": is not a token id/],
  ["a.json", '{"99999999999": 1}', /is not a token id from 0 to/],
  ["a.csv", "id,count\n1,2\n1,3\n", /line 3: id 1 is listed twice/],
  ["a.csv", "id,count\n1,many\n", /line 2: what is there is not a count/],
  ["a.csv", "id,number\n1,2\n", /line 1: no column is named "count"/],
  ["a.csv", 'id,count\n"1,2\n', /line 2: a quote is not closed/],
  ["a.csv", "", /is empty/],
  ["a.json", `{"counts": {"0": ${"[".repeat(6000)}${"]".repeat(6000)}}}`, /"0": \[\.\.\.\] is not a count/],
  ["a.json", `{"${"1".repeat(100_000)}x": 1}`, /: is not a token id from 0 to 16777215/],
  ["a.csv", `id,count\n${"1".repeat(9_990)}x,1\n`.repeat(2), /line 2: is not a token id/],
  ["a.json", `[${"[],".repeat(6_000_000)}[]]`, /file holds more than 4194304 lists, objects and names/],
])("refuses %s holding %j", async (name, text, message) => {
  await expect(readTokenCounts(bytesSource(name, encode(text)))).rejects.toThrow(message);
});

test("refuses counts of more than one axis", async () => {
  const bytes = writeNpy({ ...array, shape: [2, 2] });
  await expect(readTokenCounts(bytesSource("a.npy", bytes))).rejects.toThrow(
    /shape \[2, 2\]; counts by id have one axis/,
  );
});

test.each(["headed.csv", "nested.json"])("nothing worse than a refusal happens to a damaged %s", async (name) => {
  const bytes = files[name]!;
  await fc.assert(
    fc.asyncProperty(mutations(bytes.length), async (mutate) => {
      await readUntrusted(mutate(bytes), (source) =>
        // readUntrusted's own name has no ending.
        readTokenCounts({ ...source, name }).catch((error: Error) => {
          error.message = error.message.replace(name, "untrusted");
          throw error;
        }),
      );
    }),
    { numRuns: 300 },
  );
});
