import { Command, Option } from "commander";
import { type ModelFormat, modelFormats } from "../../export/model-formats.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { defaultModel, loadModel } from "../../node/load-model.js";
import { checkOut, clearOut } from "../../node/save/save-model.js";
import { saveAs } from "../../node/save/written-head.js";
import { weightBytesOf } from "../../node/save/written-weights.js";
import { forceOption, outOption, type PrintArguments, printOptions } from "../options/common-options.js";
import { hubOptions } from "../options/hub-options.js";
import { InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";

interface ExportArguments extends PrintArguments {
  format: ModelFormat;
  out: string;
  force?: boolean;
}

const examples = `
Examples:
  unembed export --out for-the-browser      the embedded model, transformers.js
  unembed export ./my-model --format onnx --out my-model-onnx
  unembed export ./pytorch-model --format safetensors --out as-safetensors
  unembed export EleutherAI/pythia-70m --out pythia-onnx --json`;

/** `unembed export`. */
export function exportCommand(signal: AbortSignal): Command {
  const command = new Command("export")
    .summary("write a model as it is, as ONNX or safetensors")
    .description(
      "Writes a model as it is to a new folder: as one ONNX graph with key-value cache for onnxruntime and " +
        "transformers.js, or as safetensors for transformers. Weights stay byte for byte what they are.",
    )
    .argument("[model]", "model folder, hub id (org/name), or tiny-books (embedded)", defaultModel)
    .addOption(new Option("--format <name>", "how it is written").choices(modelFormats).default("onnx"))
    .addOption(outOption("where to write the model").makeOptionMandatory())
    .addOption(forceOption("replace the folder if it is there"));
  return printOptions(command)
    .addHelpText("after", examples)
    .action((name: string, args: ExportArguments) => whileLocked(args.out, () => runExport(name, args, signal)));
}

async function runExport(name: string, args: ExportArguments, signal: AbortSignal): Promise<void> {
  const { format, out, force } = args;
  // Nothing is computed.
  const line = runLine(process.stderr, args);
  const model = await loadModel(name, {
    threads: 1,
    device: "cpu",
    maxMemory: Number.POSITIVE_INFINITY,
    ...hubOptions(line, signal),
  }).finally(line.stop);
  try {
    await clearOut(out);
    await checkOut(model, out, force);
    await saveAs[format](model, {}, out, { force, signal });
    const bytes = await weightBytesOf(format, out);
    if (args.json) console.log(JSON.stringify({ model: model.name, format, bytes, out }));
    else if (!args.quiet)
      console.log(`${model.name} as ${format}: ${bytes.toLocaleString("en")} bytes of weights in ${out}`);
  } catch (error) {
    throw signal.aborted ? new InterruptedUnwritten() : error;
  } finally {
    await model.close();
  }
}
