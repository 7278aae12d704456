import type { ModelFile } from "../../export/model-files.js";
import type { ModelFormat } from "../../export/model-formats.js";
import { onnxFiles } from "../../export/onnx-model.js";
import type { Model } from "../../model/model.js";
import { trimCard } from "../../report/card/trim-card.js";
import { type TrimOptions, type TrimResult, trimRun } from "../../runs/trimming/trim-run.js";
import { proveTrim } from "../../trimming/measure/prove-trim.js";
import { serializeTrimPlan } from "../../trimming/plan/trim-plan.js";
import { summarizeTrim, type TrimRun } from "../../trimming/trim-run.js";
import { stageFolder } from "../files/write-atomic.js";
import { loadModel } from "../load-model.js";
import { cardFile, originalModel } from "../save/card-file.js";
import { checkOut, clearOut, saveExamined } from "../save/save-model.js";
import { weightBytesOf } from "../save/written-weights.js";
import { version } from "../version.js";
import type { Asked } from "./write/run-record.js";
import { trimRunFiles } from "./write/trim-files.js";

/** A trimming that is written to a folder. */
export interface SaveTrimOptions extends TrimOptions {
  /** Default: safetensors, a folder for transformers. */
  readonly format?: ModelFormat | undefined;
  /** What run.json and the page name as what was asked for. Default: this call. */
  readonly asked?: Asked | undefined;
  /** Replace a model folder that is there. */
  readonly force?: boolean | undefined;
}

/**
 * Takes tokens out of a model, into a new folder: chooses them, measures, writes model and tokenizer, reads both back and checks
 * them against the original, and only then gives the folder its name. Beside the model lie id-map.safetensors, unembed.json (the
 * plan), run.json, report.html and a model card.
 *
 *     await saveTrim(model, "english-only", { amount: { keepText: corpus("wiki.txt") }, corpus: fit, check });
 *
 * @throws InputError as trimRun, or if the folder cannot be written
 */
export async function saveTrim(
  model: Model,
  out: string,
  { format = "safetensors", asked, force, ...options }: SaveTrimOptions,
): Promise<Omit<TrimResult, "checkpoint" | "checked">> {
  await clearOut(out);
  await checkOut(model, out, force);
  const found = await trimRun(model, options);
  const original = await originalModel(model);
  const call = { command: `saveTrim(${JSON.stringify(model.name)}, ${JSON.stringify(out)})`, arguments: { out } };
  const examine = async (folder: string) => {
    const written = await loadModel(folder, {
      threads: model.engine.threads,
      device: "cpu",
      maxMemory: model.maxMemory,
    });
    try {
      const { text } = found.checked;
      const { readsEverything } = found.checkpoint;
      const proof = await proveTrim(model, written, found.plan, { text, readsEverything });
      const bytes = {
        ...found.run.bytes,
        model: { ...found.run.bytes.model, after: await weightBytesOf(format, folder) },
      };
      const run: TrimRun = { ...found.run, bytes, proof };
      const record = {
        unembed: version,
        plan: JSON.parse(serializeTrimPlan(found.plan)),
        measured: summarizeTrim(run, out),
      };
      return {
        found: run,
        files: [
          ["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`] as const,
          [cardFile, trimCard(run, original, version)] as const,
          ...trimRunFiles(run, asked ?? call),
        ],
      };
    } finally {
      // A folder with open files cannot be renamed everywhere.
      await written.close();
    }
  };
  const write = (files: readonly ModelFile[]) =>
    saveExamined(model, out, async () => files, examine, { force, signal: options.signal, changed: true });
  const { files } = found.checkpoint;
  const run = format === "onnx" ? await asOnnx(model, out, files, write) : await write(files);
  return { plan: found.plan, run };
}

/** The files of the same model as ONNX, which is made from a checkpoint that lies on the disk meanwhile. */
async function asOnnx<Result>(
  model: Model,
  out: string,
  files: readonly ModelFile[],
  use: (files: readonly ModelFile[]) => Promise<Result>,
): Promise<Result> {
  const stage = await stageFolder(`${out}.safetensors`);
  try {
    await stage.add(files);
    const trimmed = await loadModel(stage.path, {
      threads: model.engine.threads,
      device: "cpu",
      maxMemory: model.maxMemory,
    });
    try {
      return await use(await onnxFiles(trimmed, {}));
    } finally {
      await trimmed.close();
    }
  } finally {
    await stage.discard();
  }
}
