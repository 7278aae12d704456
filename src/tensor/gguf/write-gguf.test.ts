import { expect, test } from "vitest";
import { ggufBytes, ggufGolden } from "../../../test/support/gguf-bytes.js";
import { bytesSource } from "../byte-source.js";
import { type GgufFile, readGgufFile } from "./gguf-file.js";
import { type GgufChanges, writeGguf } from "./write-gguf.js";

const nothing: GgufChanges = { tensors: [], texts: new Map(), counts: new Map() };

async function written(file: GgufFile, changes: Partial<GgufChanges>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeGguf(file, { ...nothing, ...changes })) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

const golden = (name: string) => readGgufFile(bytesSource(name, ggufGolden(name)));

test.each(["tiny-gpt2-Q4_0.gguf", "tiny-llama256-Q4_K_M.gguf", "tiny-llama-BF16.gguf"])(
  "%s: without changes it is the same file",
  async (name) => {
    expect(Buffer.from(await written(await golden(name), {})).equals(ggufGolden(name))).toBe(true);
  },
);

test("tensors replaced and added, texts and counts: all else is as it was", async () => {
  const before = await readGgufFile(
    bytesSource(
      "m.gguf",
      ggufBytes({
        version: 2,
        metadata: [
          ["plan", { kind: "string", value: "old" }],
          ["count", { kind: "int32", value: 2 }],
          ["name", { kind: "string", value: "\u00e9" }],
        ],
        tensors: [
          { name: "a", sizes: [8], offset: 0 },
          { name: "b", sizes: [2], offset: 32 },
        ],
        data: 64,
      }),
    ),
  );
  const source = bytesSource(
    "new",
    Uint8Array.from({ length: 200 }, (_, i) => i),
  );
  const tensors = [
    { name: "a", type: "Q8_0", shape: [2, 32], source, offset: 10, byteLength: 68 },
    { name: "c", type: "F16", shape: [3], source, offset: 0, byteLength: 6 },
  ] as const;
  const counts = new Map([["count", 300]]);
  const bytes = await written(before, { tensors, texts: new Map([["plan", '{"a":"\u00fc"}']]), counts });
  const after = await readGgufFile(bytesSource("m.gguf", bytes));
  expect(after.version).toBe(2);
  expect(Object.fromEntries(after.metadata)).toEqual({ plan: '{"a":"\u00fc"}', count: 300, name: "\u00e9" });
  expect([...after.tensors.keys()]).toEqual(["a", "b", "c"]);
  const bytesOf = async (name: string) => {
    const { source, offset, byteLength } = after.tensors.get(name)!;
    return [...(await source.read(offset, byteLength))];
  };
  expect(await bytesOf("a")).toEqual(Array.from({ length: 68 }, (_, i) => i + 10));
  expect(await bytesOf("b")).toEqual(new Array(8).fill(0));
  expect(await bytesOf("c")).toEqual([0, 1, 2, 3, 4, 5]);
  expect(after.tensors.get("a")).toMatchObject({ type: "Q8_0", shape: [2, 32] });
});
