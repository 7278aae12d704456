import { readdirSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectClose, movedRows, reducedLogitsOf, writtenModels } from "../../../test/support/written-models.js";
import { storeContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { planReduction, reduceHead } from "../../reduction/plan/reduction-plan.js";
import { saveModel } from "./save-model.js";
import { saveOnnx } from "./save-onnx.js";

const models = writtenModels();
const ids = [3, 14, 15, 9, 26, 5];
const logitsOf = async (model: Model) => (await model.forward(ids, { logits: true })).logits!;
const goldens = "test/goldens/arch";

describe("a folder that was written as ONNX opens as a model again", () => {
  test.each(readdirSync(goldens))("%s, as it is and with another head", async (name) => {
    const model = await models.load(join(goldens, name));
    const [plain, edited] = [join(models.folder, name), join(models.folder, `${name}-edited`)];
    await saveOnnx(model, {}, plain);
    const opened = await models.load(plain);
    expect(await logitsOf(opened)).toEqual(await logitsOf(model));
    expect({ tied: opened.head.tied, dtype: opened.dtype }).toEqual({ tied: model.head.tied, dtype: model.dtype });

    const change = { rows: await movedRows(model) };
    await saveOnnx(model, change, edited);
    await saveModel(model, change, `${edited}-safetensors`);
    const wanted = await logitsOf(await models.load(`${edited}-safetensors`));
    expect(await logitsOf(await models.load(edited))).toEqual(wanted);
  });

  test.each(["gpt2", "gptj", "gpt_neox_parallel", "opt_350m", "llama_gqa", "gemma2_tight_caps"])(
    "%s with a factored head, of directions and of coordinates",
    async (name) => {
      const model = await models.load(join(goldens, name));
      async function* windows() {
        for (let i = 0; i < 20; i++)
          yield Int32Array.from({ length: 16 }, (_, t) => (i * 31 + t * 7) % model.vocabSize);
      }
      const contexts = await storeContexts(model, windows(), memoryStore());
      for (const order of ["rotation", "random"] as const) {
        const plan = await planReduction(model, contexts, { kept: model.hiddenSize / 2, order });
        const reduced = reduceHead(model, plan);
        const out = join(models.folder, `${name}-${order}`);
        await saveOnnx(model, reduced, out);
        const opened = await models.load(out);
        const { hidden } = await model.forward(ids);
        const { weight, bias, transform } = opened.head;
        expect({ transform, shape: weight.shape, bias: bias?.shape }).toEqual({
          transform: model.head.transform,
          shape: model.head.weight.shape,
          bias: [model.vocabSize],
        });
        const { hidden: again, logits } = await opened.forward(ids, { logits: true });
        expect(again).toEqual(hidden);
        // Factors are stored in E's own number type.
        const close = model.dtype === "F32" ? 1e-5 : 2e-2;
        expectClose(logits!, reducedLogitsOf(model, reduced, hidden), close);
        await expect(saveModel(opened, {}, `${out}-plain`)).rejects.toThrow(/has a place for in ONNX only/);
        await saveOnnx(opened, {}, `${out}-again`);
        expect(await logitsOf(await models.load(`${out}-again`))).toEqual(logits);
      }
    },
  );

  test("as safetensors again it holds the same tensors, but those that no layer reads", async () => {
    const model = await models.load("assets/tiny-books");
    await saveOnnx(model, {}, join(models.folder, "tiny"));
    await saveModel(await models.load(join(models.folder, "tiny")), {}, join(models.folder, "tiny-again"));
    const again = await models.load(join(models.folder, "tiny-again"));
    expect(await logitsOf(again)).toEqual(await logitsOf(model));
    expect(again.head.tied).toBe(true);
  });
});

describe("what cannot be opened is one clear line", () => {
  test("no weights, those of another tool, a damaged file", async () => {
    const model = await models.load(join(goldens, "gpt2"));
    const out = join(models.folder, "to-damage");
    await saveOnnx(model, {}, out);
    const damaged = async (change: (folder: string) => Promise<unknown>) => {
      const copy = join(models.folder, "damaged");
      await rm(copy, { recursive: true, force: true });
      await cp(out, copy, { recursive: true });
      await change(copy);
      return models.load(copy).then(
        () => "opened",
        (error: Error) => error.message,
      );
    };
    const file = (folder: string) => join(folder, "onnx/model.onnx");
    expect(await damaged((folder) => rm(join(folder, "onnx"), { recursive: true }))).toMatch(
      /has no weights: looked for model\.safetensors, .*, onnx\/model\.onnx$/,
    );
    const bytes = await readFile(file(out));
    expect(await damaged((folder) => writeFile(file(folder), bytes.subarray(0, bytes.length - 7)))).toMatch(
      /model\.onnx: is cut off, or not an ONNX file/,
    );
    expect(await damaged((folder) => writeFile(file(folder), ""))).toMatch(/only those that unembed wrote are read/);
    const renamed = Buffer.from(bytes.toString("latin1").replaceAll("h.0.attn", "h.0.nttn"), "latin1");
    expect(await damaged((folder) => writeFile(file(folder), renamed))).toMatch(
      /only those that unembed wrote are read\): tensor .*attn.* is missing/,
    );
  });
});
