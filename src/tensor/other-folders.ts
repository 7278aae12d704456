import type { Folder } from "./byte-source.js";
import { parsePythonJson } from "./python-json.js";
import { shown } from "./strict-json.js";

/** What PEFT keeps beside an adapter's weights. */
const adapterConfig = "adapter_config.json";
/** Larger than any. */
const maxAdapterConfigBytes = 2 ** 20;

/** Small files, so that on the hub little is fetched for a message, that show what else a folder is. */
const otherKinds: readonly (readonly [file: string, what: string])[] = [
  [
    "params.json",
    "Meta's or Mistral's own layout: convert it with the script for that in transformers, or open the repository whose name ends in -hf",
  ],
  ["model_index.json", "an image model's folder: a text model in it has a folder of its own inside"],
  ["modules.json", "a model of sentence embeddings, which has no output embedding"],
];

/** What a folder is in which no model is found, and what to do with it: the end of a message. undefined if it is nothing known. */
export async function otherFolder(folder: Folder): Promise<string | undefined> {
  const adapter = await folder.open(adapterConfig);
  if (adapter !== undefined) {
    const bytes = await adapter.read(0, Math.min(adapter.size, maxAdapterConfigBytes));
    return adapterProblem(fieldsOf(bytes));
  }
  for (const [file, what] of otherKinds) {
    if ((await folder.open(file)) !== undefined) return `is ${what} (${file})`;
  }
  return undefined;
}

function adapterProblem({ peft_type: kind, base_model_name_or_path: base }: Readonly<Record<string, unknown>>): string {
  const named = typeof kind === "string" && kind !== "" ? `an adapter (${shown(kind)})` : "an adapter";
  const what = kind === "LORA" ? "a LoRA adapter" : named;
  const of = typeof base === "string" && base !== "" ? shown(base, 200) : "a base model that it does not name";
  return (
    `is ${what} of ${of} (${adapterConfig}), not a model: merge it into that first, ` +
    "with peft's merge_and_unload() and save_pretrained(), and open the result"
  );
}

function fieldsOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = parsePythonJson(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // What it is shows in its name.
    return {};
  }
}
