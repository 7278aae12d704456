import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/engine.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { openFileSource, openFolder } from "../../node/files/file-source.js";
import { readIntegers, readSafetensorsHeader, readTensor } from "../../tensor/safetensors/safetensors.js";
import { openModel } from "../model.js";
import { architectures } from "./index.js";

const goldens = fileURLToPath(new URL("../../../test/goldens/", import.meta.url));
const placesIn = (folder: string) => readdirSync(goldens + folder).map((name) => `${folder}/${name}`);

/** Answers of PyTorch: input_ids [2, time], hidden [2, time, d], logits [2, time, V]. */
async function expected(place: string) {
  const { tensors } = await readSafetensorsHeader(await openFileSource(`${goldens}${place}/expected.safetensors`));
  const ids = Array.from(await readIntegers(tensors.get("input_ids")!));
  return {
    windows: [ids.slice(0, ids.length / 2), ids.slice(ids.length / 2)],
    hidden: await readTensor(tensors.get("hidden")!),
    logits: await readTensor(tensors.get("logits")!),
  };
}

/** Largest difference, as a share of the largest magnitude. */
function difference(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  let largest = 0;
  let furthest = 0;
  wanted.forEach((value, index) => {
    largest = Math.max(largest, Math.abs(value));
    // NaN must not pass for "no difference".
    const distance = Math.abs(found[index]! - value);
    furthest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(furthest, distance);
  });
  return furthest / largest;
}

describe("every architecture", () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ threads: 1 });
  });
  afterAll(() => engine.close());

  const places = placesIn("arch");

  it.each([...places, ...placesIn("flags")])("computes what PyTorch computes: %s", async (place) => {
    const { windows, hidden, logits } = await expected(place);
    const model = await openModel(openFolder(goldens + place), engine, place);
    const found = await model.forward(windows, { logits: true });
    expect(difference(found.hidden, hidden)).toBeLessThan(1e-5);
    expect(difference(found.logits!, logits)).toBeLessThan(1e-5);
  });

  it("is compared with PyTorch in at least one checkpoint", async () => {
    const models = await Promise.all(places.map((place) => openModel(openFolder(goldens + place), engine, place)));
    const compared = new Set(models.map((model) => model.modelType));
    const served = architectures.flatMap(({ modelTypes }) => modelTypes);
    expect(served.filter((type) => !compared.has(type))).toEqual([]);
  });
});
