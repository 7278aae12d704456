import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { type ByteSource, bytesSource } from "../byte-source.js";
import { isFloatDType } from "../dtype.js";
import {
  readIntegers,
  readSafetensorsHeader,
  readTensorFloat64,
  type TensorEntry,
} from "../safetensors/safetensors.js";
import { readTorchTensors } from "./torch-zip.js";

async function open(path: string): Promise<ByteSource> {
  return bytesSource(path, new Uint8Array(await readFile(`test/goldens/${path}`)));
}

function numbers(entry: TensorEntry): Promise<Float64Array> {
  return isFloatDType(entry.dtype) ? readTensorFloat64(entry) : readIntegers(entry);
}

async function expectSameTensors(actual: ReadonlyMap<string, TensorEntry>, expected: ReadonlyMap<string, TensorEntry>) {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, wanted] of expected) {
    const { dtype, shape, byteLength } = actual.get(name)!;
    expect({ name, dtype, shape, byteLength }).toEqual({
      name,
      dtype: wanted.dtype,
      shape: wanted.shape,
      byteLength: wanted.byteLength,
    });
    expect(await numbers(actual.get(name)!)).toEqual(await numbers(wanted));
  }
}

describe("readTorchTensors", () => {
  test.each(["kinds", "kinds_protocol_4"])("reads every kind of tensor: %s", async (name) => {
    const { tensors } = await readSafetensorsHeader(await open("torch/kinds.safetensors"));
    await expectSameTensors(await readTorchTensors(await open(`torch/${name}.bin`)), tensors);
  });

  test("reads a model's state dict, tied weights from the same bytes", async () => {
    const { tensors } = await readSafetensorsHeader(await open("arch/gpt2/model.safetensors"));
    const actual = await readTorchTensors(await open("torch/state_dict.bin"));
    const [head, embedding] = [actual.get("lm_head.weight")!, actual.get("transformer.wte.weight")!];
    expect(head.offset).toBe(embedding.offset);
    const expected = new Map(tensors);
    expected.set("lm_head.weight", tensors.get("transformer.wte.weight")!);
    await expectSameTensors(actual, expected);
  });

  test("reads a parameter that carries attributes", async () => {
    const { tensors } = await readSafetensorsHeader(await open("arch/gpt2/model.safetensors"));
    const actual = await readTorchTensors(await open("torch/parameter_with_state.bin"));
    await expectSameTensors(actual, new Map([["weight", tensors.get("transformer.ln_f.weight")!]]));
  });

  const refused: [file: string, problem: string][] = [
    [
      "command.bin",
      'pickle byte 18: names "posix.system", which is not executed: save the tensors alone, or as safetensors',
    ],
    [
      "unknown_global.bin",
      'pickle byte 18: names "torch._utils._rebuild_tensor_v3", which is not executed: save the tensors alone, or as safetensors',
    ],
    [
      "transposed.bin",
      'tensor "weight" of shape [3, 2] is stored with strides [1, 3]: save it again with .contiguous()',
    ],
    ["legacy.bin", "is in the format of PyTorch before 1.6: load it with torch.load and save it again with torch.save"],
    [
      "training_checkpoint.bin",
      "tensor \"model\" is not a tensor: save the model's state_dict() alone, without the optimizer's or other values",
    ],
    ["list.bin", "holds no dict of tensors (a state dict)"],
    ["compressed.bin", 'zip record "list/data.pkl" is compressed (method 8): store it uncompressed (zip -0)'],
    ["make.py", "is not a file that torch.save wrote: it does not start as a zip archive"],
  ];
  test.each(refused)("refuses %s", async (file, problem) => {
    const source = await open(`torch/${file}`);
    await expect(readTorchTensors(source)).rejects.toThrow(new InputError(source.name, problem));
  });

  test("refuses storages and shapes that the file does not have", async () => {
    const source = await open("torch/parameter_with_state.bin");
    const bytes = await source.read(0, source.size);
    const changed = (...changes: [from: string, to: string][]) => {
      let text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
      for (const [from, to] of changes) {
        expect(text).toContain(from);
        text = text.replace(from, to);
      }
      return bytesSource(
        "changed",
        Uint8Array.from(text, (character) => character.charCodeAt(0)),
      );
    };
    const cases: [source: ByteSource, problem: string][] = [
      [changed(["X\x01\0\0\0" + "0", "X\x01\0\0\0" + "1"]), 'lies in the storage "data/1", which is missing'],
      [changed(["K\x18tq", "K\x19tq"]), 'lies in "data/0", which has 96 bytes where 25 F32 need 100'],
      [changed(["K\x18\x85q", "K\x19\x85q"]), 'has shape [25], which does not fit into its storage "data/0"'],
      [changed(["QK\0", "QK\x01"]), 'has shape [24], which does not fit into its storage "data/0"'],
      [
        changed(["K\x01\x85q", "K\x02\x85q"]),
        "of shape [24] is stored with strides [2]: save it again with .contiguous()",
      ],
    ];
    for (const [changedSource, problem] of cases) {
      await expect(readTorchTensors(changedSource)).rejects.toThrow(
        new InputError("changed", `tensor "weight" ${problem}`),
      );
    }
    await expect(readTorchTensors(changed(["little", "big   "]))).rejects.toThrow('byteorder is "big   "');
  });

  test("refuses bytes that are not those of their checksum, where there is one, and opens one tensor without", async () => {
    const source = await open("torch/kinds.bin");
    const bytes = (await source.read(0, source.size)).slice();
    const { offset } = (await readTorchTensors(source)).get("float32")!;
    bytes[offset + 1]! ^= 1;
    const flipped = bytesSource("flipped", bytes);
    const damaged = "is damaged, says its checksum: download it again";
    await expect(readTorchTensors(flipped)).rejects.toThrow(
      new InputError("flipped", `zip record "kinds/data/0" ${damaged}`),
    );
    expect((await readTorchTensors(flipped, ["float32"])).size).toBe(1);
    // PyTorch can leave checksums out: they are 0 then.
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 20 <= bytes.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 16, 0);
    expect((await readTorchTensors(flipped)).size).toBeGreaterThan(10);
  });

  test("the name of a storage, which a file may choose, is quoted", async () => {
    const whole = await open("torch/parameter_with_state.bin");
    const text = Buffer.from(await whole.read(0, whole.size)).toString("latin1");
    const changed = Buffer.from(text.replace("X\x01\0\0\x000", "X\x01\0\0\0\n"), "latin1");
    await expect(readTorchTensors(bytesSource("changed", changed))).rejects.toThrow('in the storage "data/\\n", which');
  });

  test("survives any damage", async () => {
    const source = await open("torch/kinds.bin");
    const bytes = await source.read(0, source.size);
    const readAll = async (changed: ByteSource) => {
      for (const entry of (await readTorchTensors(changed)).values()) await numbers(entry);
    };
    expect(await readUntrusted(bytes, readAll, 3)).toBe(true);
    await fc.assert(
      fc.asyncProperty(mutations(bytes.length), async (mutate) => {
        await readUntrusted(mutate(bytes), readAll, Number.POSITIVE_INFINITY);
      }),
      { numRuns: 300 },
    );
  });
});
