import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onePerFamily } from "../../../test/support/families.js";
import { hiddenCutAt, relativeDifference } from "../../../test/support/layer-cuts.js";
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
    expect(relativeDifference(found.hidden, hidden)).toBeLessThan(1e-5);
    expect(relativeDifference(found.logits!, logits)).toBeLessThan(1e-5);
  });

  it.each(onePerFamily().map((name) => `arch/${name}`))(
    "puts out the same where its layers take turns: %s",
    async (place) => {
      const model = await openModel(openFolder(goldens + place), engine, place);
      const length = Math.min(16, model.maxPositions ?? 16);
      const tokenIds = new Int32Array(2 * length).map((_, i) => (37 * i + 11) % model.vocabSize);
      const windows = { count: 2, length, tokenIds };
      // Behind every layer of every golden: npm run test:soak.
      const cut = Math.ceil(model.description.numLayers! / 2);
      expect(
        relativeDifference(await hiddenCutAt(model, windows, cut), await model.hiddenStates(windows)),
      ).toBeLessThan(1e-6);
    },
  );

  it("is compared with PyTorch in at least one checkpoint", async () => {
    const models = await Promise.all(places.map((place) => openModel(openFolder(goldens + place), engine, place)));
    const compared = new Set(models.map((model) => model.modelType));
    const served = architectures.flatMap(({ modelTypes }) => modelTypes);
    expect(served.filter((type) => !compared.has(type))).toEqual([]);
  });
});
