import { InputError } from "../errors.js";
import type { TensorEntries } from "../tensor/checkpoint-layouts.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote, shown } from "../tensor/strict-json.js";
import type { Config } from "./config.js";
import { hasBlockScales, isWidened } from "./widened-weights.js";

const remedy =
  "open the original checkpoint, or dequantize it first (transformers: model.dequantize() and save_pretrained(); MLX: mlx_lm.convert --dequantize)";

/** How weights are quantized, by a tensor that only such checkpoints have. */
const quantizedTensors: readonly (readonly [
  is: (tensor: TensorEntry, beside: TensorEntries) => boolean,
  what: string,
])[] = [
  // By its order of columns, which AWQ does not have; older files of GPTQ have none either.
  [({ name }) => name.endsWith(".g_idx"), "GPTQ's"],
  [({ name }) => name.endsWith(".qweight"), "AWQ's or GPTQ's"],
  [({ name }) => /\.quant_state\.bitsandbytes__|\.(?:absmax|SCB)$/.test(name), "bitsandbytes'"],
  [({ name, dtype }) => dtype === "U32" && /\.weight$/.test(name), "MLX's"],
  [({ name }) => name.endsWith(".weight_packed"), "compressed-tensors'"],
  [(tensor, beside) => tensor.dtype.startsWith("F8_") && !hasBlockScales(tensor, beside), "FP8"],
];

/** @throws InputError if the tensors are of a quantized checkpoint, or those of an adapter that was not merged */
export function refuseUnreadableWeights(place: string, tensors: TensorEntries): void {
  const all = [...tensors.values()];
  const lora = all.find(({ name }) => /\.lora_(?:embedding_)?[AB]\b/.test(name));
  if (lora !== undefined) {
    const what = `an adapter's ${quote(lora.name)} beside the weights`;
    throw new InputError(place, `holds ${what}: merge it first, with peft's merge_and_unload() and save_pretrained()`);
  }
  for (const [is, whose] of quantizedTensors) {
    const found = all.find((tensor) => is(tensor, tensors));
    if (found === undefined) continue;
    const what = `${whose} quantized weights (${quote(found.name)}, ${found.dtype})`;
    throw new InputError(place, `holds ${what}, which are not read: ${remedy}`);
  }
}

/** @throws InputError if the config says that the weights are quantized, in a form that is not widened as it is read */
export function refuseQuantizedConfig(config: Config): void {
  if (isWidened(config)) return;
  const field = ["quantization_config", "quantization"].find((one) => config.has(one));
  if (field === undefined) return;
  config.fail(
    field,
    `says that the weights are quantized (${methodOf(config, field)}), and such are not read: ${remedy}`,
  );
}

function methodOf(config: Config, field: string): string {
  const value = config.unknown(field);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return shown(value);
  const fields = value as Record<string, unknown>;
  const ofBitsandbytes = fields.load_in_4bit === true ? 4 : fields.load_in_8bit === true ? 8 : undefined;
  const bits = fields.bits ?? ofBitsandbytes;
  const width = typeof bits === "number" ? [`${bits} bits`] : [];
  // MLX names no method, nor did bitsandbytes at first.
  const unnamed = field === "quantization" ? "MLX" : ofBitsandbytes ? "bitsandbytes" : "no method named";
  const name = typeof fields.quant_method === "string" ? shown(fields.quant_method).slice(1, -1) : unnamed;
  return [name, ...width].join(", ");
}
