import { InputError } from "../errors.js";
import { mxfp4Matrices } from "../tensor/blocks/mxfp4.js";
import { type ScaledBlock, scaledFloat8 } from "../tensor/blocks/scaled-float8.js";
import type { TensorEntries } from "../tensor/checkpoint-layouts.js";
import { outputEmbeddingNames } from "../tensor/output-embedding-names.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote } from "../tensor/strict-json.js";
import type { Config } from "./config.js";

/** Forms of published checkpoints whose blocks are widened as they are read, by `quant_method`. */
const widenedMethods = ["fp8", "mxfp4"];

/** What the scales of a float8 matrix are called, behind its own name. */
const scaleSuffix = "_scale_inv";

/** Whether the blocks of such a checkpoint are widened as they are read. */
export function isWidened(config: Config): boolean {
  const quantized = config.unknown("quantization_config");
  return (
    typeof quantized === "object" &&
    quantized !== null &&
    "quant_method" in quantized &&
    widenedMethods.some((method) => method === quantized.quant_method)
  );
}

/** Whether a float8 tensor has scales beside it, as DeepSeek stores them. */
export const hasBlockScales = ({ name }: TensorEntry, tensors: TensorEntries): boolean =>
  tensors.has(name + scaleSuffix);

/**
 * The tensors as graphs use them: those that are blocks with scales as float32, rows of which are made when they are read. Of
 * DeepSeek's float8 matrices by their own names; of gpt-oss's NAME_blocks and NAME_scales as NAME_rows, [experts, out, in].
 * @throws InputError naming the field or the tensor that does not fit
 */
export function widenedTensors(config: Config, tensors: TensorEntries): TensorEntries {
  const quantized = isWidened(config) ? config.object("quantization_config") : undefined;
  if (quantized === undefined) {
    const float8 = [...tensors.values()].find(({ dtype }) => dtype.startsWith("F8_"));
    if (float8 !== undefined) {
      config.fail("quantization_config", `is missing, which says how large the blocks of ${quote(float8.name)} are`);
    }
    return tensors;
  }
  const method = quantized.string("quant_method");
  const widened = method === "fp8" ? float8Matrices(float8Block(quantized), tensors) : mxfp4Experts(tensors);
  return new Map([...tensors, ...widened.map((tensor) => [tensor.name, tensor] as const)]);
}

function float8Block(quantized: Config): ScaledBlock {
  quantized.mustBe("fmt", "e4m3");
  quantized.mustBe("activation_scheme", "dynamic");
  const sizes = quantized.numbers("weight_block_size");
  const [rows, columns] = sizes;
  if (sizes.length !== 2 || !sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    quantized.fail("weight_block_size", "is not two positive integers");
  }
  return { rows: rows!, columns: columns! };
}

function float8Matrices(block: ScaledBlock, tensors: TensorEntries): TensorEntry[] {
  return [...tensors.values()]
    .filter((tensor) => tensor.dtype === "F8_E4M3")
    .map((tensor) => {
      const scales = tensors.get(tensor.name + scaleSuffix);
      if (scales === undefined) {
        throw new InputError(tensor.source.name, `tensor ${quote(tensor.name + scaleSuffix)} is missing`);
      }
      if (outputEmbeddingNames.includes(tensor.name)) {
        const problem = "is F8_E4M3, in which a changed output embedding cannot be written: convert it to BF16 first";
        throw new InputError(tensor.source.name, `tensor ${quote(tensor.name)} ${problem}`);
      }
      return scaledFloat8(tensor, scales, block);
    });
}

function mxfp4Experts(tensors: TensorEntries): TensorEntry[] {
  return [...tensors.values()]
    .filter(({ name }) => name.endsWith("_blocks"))
    .map((blocks) => {
      const name = blocks.name.slice(0, -"_blocks".length);
      const scales = tensors.get(`${name}_scales`);
      if (scales === undefined) {
        throw new InputError(blocks.source.name, `tensor ${quote(`${name}_scales`)} is missing`);
      }
      return mxfp4Matrices(`${name}_rows`, blocks, scales);
    });
}
