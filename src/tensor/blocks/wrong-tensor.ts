import { InputError } from "../../errors.js";
import type { TensorEntry } from "../safetensors/safetensors.js";
import { quote } from "../strict-json.js";

/** The error of a tensor whose number type or shape does not fit. @param where what is wanted there */
export function wrongTensor({ source, name, dtype, shape }: TensorEntry, where: string): InputError {
  return new InputError(source.name, `tensor ${quote(name)} is ${dtype} [${shape.join(", ")}] ${where}`);
}
