import { readdirSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { dot } from "../../linalg/dot.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { openFileSource, openFolder } from "../../node/files/file-source.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { openModel } from "../model.js";
import { constantDirection, readFinalNorm } from "./constant-direction.js";

const goldens = "test/goldens/arch";
const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

it("has the product 1 with what PyTorch computes, in every context of every model whose last norm has a bias", async () => {
  const found: string[] = [];
  for (const name of readdirSync(goldens)) {
    const { description, hiddenSize: d } = await openModel(openFolder(`${goldens}/${name}`), engine, name);
    const norm = await readFinalNorm(description);
    if (norm === undefined) continue;
    found.push(name);
    const direction = constantDirection(norm)!;
    const { tensors } = await readSafetensorsHeader(await openFileSource(`${goldens}/${name}/expected.safetensors`));
    const hidden = await readTensorFloat64(tensors.get("hidden")!);
    for (let at = 0; at < hidden.length; at += d) expect(dot(direction, 0, hidden, at, d)).toBeCloseTo(1, 4);
  }
  // A weight that is stored as it is, and one that is stored less one.
  expect(found).toEqual(expect.arrayContaining(["gpt2", "nemotron"]));
});
