import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type MemoryFiles, memoryFolder } from "../../test/support/memory-folder.js";
import { InputError } from "../errors.js";
import { openCheckpointTensors } from "./checkpoint-tensors.js";
import { readTensor } from "./safetensors/safetensors.js";

const folder = (files: MemoryFiles) => memoryFolder(files, "folder");

async function readFolder(path: string): Promise<MemoryFiles> {
  const names = await readdir(path);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(`${path}/${name}`))] as const)),
  );
}

const sharded = await readFolder("test/goldens/arch/llama_sharded_bf16");
const torch = await readFolder("test/goldens/torch");
const single = new Uint8Array(await readFile("test/goldens/arch/gpt2/model.safetensors"));

describe("openCheckpointTensors", () => {
  test("gathers the shards of an index", async () => {
    const tensors = await openCheckpointTensors(folder(sharded));
    const sizes = [...tensors.values()].map((entry) => entry.byteLength);
    expect(sizes.reduce((total, size) => total + size)).toBe(63808);
    expect(tensors.get("lm_head.weight")?.source.name).toBe("folder/model-00001-of-00002.safetensors");
    expect(tensors.get("model.norm.weight")?.source.name).toBe("folder/model-00002-of-00002.safetensors");
    const head = await readTensor(tensors.get("lm_head.weight")!);
    expect(head.length).toBe(160 * 32);
    expect(Array.from(head.subarray(0, 4))).toEqual([-0.203125, 0.11572265625, -0.09228515625, -0.2373046875]);
    expect(head.at(-1)).toBe(0.2470703125);
  });

  test("takes one file before an index, and safetensors before a pickle", async () => {
    const files = { ...sharded, "model.safetensors": single, "pytorch_model.bin": torch["kinds.bin"]! };
    expect((await openCheckpointTensors(folder(files))).has("transformer.wte.weight")).toBe(true);
    const pickled = { "pytorch_model.bin": torch["kinds.bin"]!, "pytorch_model.bin.index.json": "{}" };
    expect((await openCheckpointTensors(folder(pickled))).has("bfloat16")).toBe(true);
  });

  test("gathers pickled shards", async () => {
    const tensors = await openCheckpointTensors(
      folder({
        "pytorch_model.bin.index.json": JSON.stringify({
          weight_map: { float16: "kinds.bin", weight: "part/parameter.bin" },
        }),
        "kinds.bin": torch["kinds.bin"]!,
        "part/parameter.bin": torch["parameter_with_state.bin"]!,
      }),
    );
    // The index leaves out most of the first shard.
    expect([...tensors.keys()]).toEqual(expect.arrayContaining(["float16", "bfloat16", "weight"]));
    expect(tensors.get("weight")?.source.name).toBe("folder/part/parameter.bin");
  });

  const index = "model.safetensors.index.json";
  const weightMap = (map: unknown) => ({ [index]: JSON.stringify({ weight_map: map }) });
  const notThere = "which is not a file of the same folder";
  const refused: [what: string, files: MemoryFiles, place: string, problem: string][] = [
    [
      "a folder without weights",
      {},
      "folder",
      "has no weights: looked for model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json",
    ],
    [
      "an index that is not JSON",
      { [index]: "" },
      `folder/${index}`,
      "index is not JSON: Unexpected end of JSON input",
    ],
    ["an index that is null", { [index]: "null" }, `folder/${index}`, "field weight_map is missing or not an object"],
    ["a list of weights", weightMap([]), `folder/${index}`, "field weight_map is missing or not an object"],
    [
      "a tensor listed twice",
      { [index]: '{"weight_map": {"a": "x", "a": "y"}}' },
      `folder/${index}`,
      'index names "a" twice',
    ],
    ["no file name", weightMap({ a: { toString: 1 } }), `folder/${index}`, 'field weight_map: "a" has no file name'],
    ...["../x", "/x", "x/../../y", "..\\x", "C:x", "x\0", "", "./x", "a//b"].map(
      (name): [string, MemoryFiles, string, string] => [
        `the file name ${JSON.stringify(name)}`,
        weightMap({ a: name }),
        `folder/${index}`,
        `field weight_map: "a" is in ${JSON.stringify(name)}, ${notThere}`,
      ],
    ),
    ["a missing shard", weightMap({ a: "x" }), `folder/${index}`, 'lists the shard "x", which is missing'],
    [
      "a broken shard",
      { ...weightMap({ a: "x" }), x: "short" },
      "folder/x",
      "is 5 bytes long, too short for a safetensors file",
    ],
  ];
  test.each(refused)("refuses %s", async (_, files, place, problem) => {
    await expect(openCheckpointTensors(folder(files))).rejects.toThrow(new InputError(place, problem));
  });
});
