import { readdirSync } from "node:fs";
import { join } from "node:path";
import { AutoModelForCausalLM, env, pipeline, Tensor } from "@huggingface/transformers";
import { beforeAll, describe, expect, test } from "vitest";
import { notInTransformersJs } from "../../scripts/compatibility.js";
import { onnxFiles } from "../../src/export/onnx-model.js";
import { generate } from "../../src/generation/generate.js";
import { roundedHead } from "../../src/model/head/spread-head.js";
import type { Model } from "../../src/model/model.js";
import { readReductionPlan } from "../../src/node/save/reduction-plan-folder.js";
import { saveFiles, saveModel } from "../../src/node/save/save-model.js";
import { saveOnnx } from "../../src/node/save/save-onnx.js";
import { reduceHead } from "../../src/reduction/plan/reduction-plan.js";
import { unembed } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";
import { expectClose, movedRows, rescoredLogitsOf, writtenModels } from "../support/written-models.js";

/** One thread, since another test file runs beside this one, and no texts. */
const alone = ["--threads", "1", "--texts", "0"];
const models = writtenModels();
const { load } = models;
/** A text model for what a command does, whatever it has learnt. */
let small: string;
beforeAll(async () => {
  env.allowRemoteModels = false;
  small = await smallBooks(join(models.folder, "small-books"));
});

const likeliest = (logits: Float32Array): number =>
  logits.reduce((best, value, id) => (value > logits[best]! ? id : best), 0);

/** The likeliest token each time, every time from the whole text anew. */
async function greedy(model: Model, prompt: readonly number[], count: number): Promise<number[]> {
  const ids = [...prompt];
  for (let step = 0; step < count; step++) {
    const { logits } = await model.forward(ids, { logits: true });
    ids.push(likeliest(logits!.subarray(-model.vocabSize)));
  }
  return ids;
}

const int64 = (ids: readonly number[]) => new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
const oneThread = { device: "cpu", session_options: { intraOpNumThreads: 1 } } as const;

describe("transformers.js runs what is written as ONNX", () => {
  test("the text-generation pipeline writes what the edited model would", async () => {
    const model = await load("tiny-books");
    const tokenizer = await model.tokenizer();
    const change = { rows: await movedRows(model) };
    await saveModel(model, change, join(models.folder, "safetensors"));
    await saveOnnx(model, change, join(models.folder, "onnx"));
    const edited = await load(join(models.folder, "safetensors"));
    const generator = await pipeline("text-generation", join(models.folder, "onnx"), oneThread);
    const prompt = "The old captain looked at the";
    const ids = [...tokenizer.encode(prompt)];
    const [written] = (await generator(prompt, { max_new_tokens: 24, do_sample: false })) as {
      generated_text: string;
    }[];
    const wanted = await greedy(edited, ids, 24);
    expect(written!.generated_text).toBe(tokenizer.decode(wanted));
    const { logits } = await generator.model({ input_ids: int64(wanted), attention_mask: int64(wanted.map(() => 1)) });
    expectClose(logits.data, (await edited.forward(wanted, { logits: true })).logits!);
    await generator.dispose();
  });

  /** Their rotary frequencies depend on how long the text is: keys that are cached keep those of their time. */
  const lengthDependent = ["llama_dynamic_beyond"];
  const goldens = readdirSync("test/goldens/arch").filter((name) => !lengthDependent.includes(name));

  test.each(goldens)("%s", async (name) => {
    const model = await load(join("test/goldens/arch", name));
    const change = { rows: await movedRows(model) };
    await saveOnnx(model, change, join(models.folder, name));
    await saveModel(model, change, join(models.folder, `${name}-safetensors`));
    const edited = await load(join(models.folder, `${name}-safetensors`));
    const prompt = [3, 14, 15, 9, 26, 5, 35, 8];
    const wanted = (await edited.forward(prompt, { logits: true })).logits!;
    const readBack = await load(join(models.folder, name));
    expectClose((await readBack.forward(prompt, { logits: true })).logits!, wanted);
    if (notInTransformersJs.includes(model.modelType)) {
      const loading = AutoModelForCausalLM.from_pretrained(join(models.folder, name), oneThread);
      await expect(loading).rejects.toThrow("Unsupported model type");
      return;
    }
    const loaded = await AutoModelForCausalLM.from_pretrained(join(models.folder, name), oneThread);
    const written = await loaded.generate({
      inputs: int64(prompt),
      max_new_tokens: 12,
      do_sample: false,
      eos_token_id: model.vocabSize,
    });
    expect(Array.from((written as Tensor).data, Number)).toEqual(await greedy(edited, prompt, 12));
    const { logits } = await loaded({ input_ids: int64(prompt), attention_mask: int64(prompt.map(() => 1)) });
    expectClose(logits.data, wanted);
    await loaded.dispose();
  });

  test("what steer writes with --format onnx is measured in the file, and runs as it says", async () => {
    const steered = async (format: string) => {
      const out = join(models.folder, `steered-${format}`);
      const edits = ["--edit", " the=x0.5", " night=x3", "--tokens", "1000", "--check-tokens", "300", ...alone];
      const args = ["steer", small, ...edits, "--format", format, "--out", out, "--json", "--quiet"];
      const { edits: found, collateral } = JSON.parse((await unembed(args)).stdout);
      return { found, collateral };
    };
    expect(await steered("onnx")).toEqual(await steered("safetensors"));
    const edited = await load(join(models.folder, "steered-safetensors"));
    const generator = await pipeline("text-generation", join(models.folder, "steered-onnx"), oneThread);
    const ids = [...(await edited.tokenizer()).encode("He looked at the sea and the ship")];
    const { logits } = await generator.model({ input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)) });
    expectClose(logits.data, (await edited.forward(ids, { logits: true })).logits!);
    await generator.dispose();
  });

  test.each([
    ["directions", ["--keep", "24"]],
    ["coordinates", ["--keep", "40", "--order", "variance"]],
    ["two stages", ["--keep", "20", "--rescore", "50", "--steps", "5"]],
  ])("what reduce writes with --format onnx, by %s, has the reduced head's logits", async (name, asked) => {
    const [out, kept] = [join(models.folder, `reduced-${name}`), join(models.folder, `plan-${name}`)];
    const text = ["--tokens", "1000", "--check-tokens", "300", "--threads", "1"];
    const args = ["reduce", small, ...asked, ...text, "--format", "onnx", "--out", out, "--quiet"];
    expect((await unembed([...args, "--save-plan", kept])).code).toBe(0);
    const model = await load(small);
    const reduced = roundedHead(model, reduceHead(model, await readReductionPlan(kept, model)));
    const tokenizer = await model.tokenizer();
    const generator = await pipeline("text-generation", out, oneThread);
    const prompt = "He looked at the sea and";
    const [written] = (await generator(prompt, { max_new_tokens: 8, do_sample: false })) as {
      generated_text: string;
    }[];
    const ids = [...tokenizer.encode(prompt)];
    const wanted = [...ids];
    for (let step = 0; step < 8; step++) {
      const last = (await model.forward(wanted)).hidden.slice(-model.hiddenSize);
      wanted.push(likeliest(await rescoredLogitsOf(model, reduced, last)));
    }
    expect(written!.generated_text).toBe(tokenizer.decode(wanted));
    if (reduced.rescore === undefined) {
      const [own] = await generate(await load(out), { prompt, temperature: 0, maxTokens: 8 });
      expect(prompt + own!.text).toBe(written!.generated_text);
    }
    const { logits } = await generator.model({ input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)) });
    expectClose(logits.data, await rescoredLogitsOf(model, reduced, (await model.forward(ids)).hidden));
    await generator.dispose();
  });

  test("a head of two stages with a bound writes greedily what the original does", async () => {
    const out = join(models.folder, "reduced-greedy-exact");
    const asked = ["--keep", "20", "--rescore", "50", "--greedy-exact", "--format", "onnx", "--out", out, "--json"];
    const text = ["--tokens", "1000", "--check-tokens", "300", "--threads", "1", "--quiet"];
    const { code, stdout } = await unembed(["reduce", small, ...asked, ...text]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).measures.check.top1).toBe(1);
    const model = await load(small);
    const tokenizer = await model.tokenizer();
    const generator = await pipeline("text-generation", out, oneThread);
    const prompt = "He looked at the sea and";
    const [written] = (await generator(prompt, { max_new_tokens: 12, do_sample: false })) as {
      generated_text: string;
    }[];
    const ids = await greedy(model, [...tokenizer.encode(prompt)], 12);
    expect(written!.generated_text).toBe(tokenizer.decode(ids));
    await generator.dispose();
  });

  test("with its weights in a file of their own", async () => {
    const model = await load("test/goldens/arch/llama_gqa");
    await saveFiles(model, join(models.folder, "beside"), () => onnxFiles(model, {}, 1000), { changed: false });
    const loaded = await AutoModelForCausalLM.from_pretrained(join(models.folder, "beside"), oneThread);
    const ids = [3, 14, 15, 9, 26];
    const { logits } = await loaded({ input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)) });
    expectClose(logits.data, (await model.forward(ids, { logits: true })).logits!);
    await loaded.dispose();
  });
});
