import type { GgufFile } from "../../tensor/gguf/gguf-file.js";
import { type Config, config } from "../config.js";

/** A file's metadata, each value checked when it is asked for. */
export interface GgufMetadata
  extends Pick<
    Config,
    "has" | "integer" | "number" | "boolean" | "string" | "numbers" | "strings" | "unknown" | "fail"
  > {
  /** `general.architecture` */
  readonly architecture: string;
  /** Its own key of a name: `llama.block_count` of `block_count`. */
  own(name: string): string;
}

export function ggufMetadata({ source, metadata }: GgufFile): GgufMetadata {
  const fields = config(source.name, Object.fromEntries(metadata));
  const architecture = fields.string("general.architecture");
  return { ...fields, architecture, own: (name) => `${architecture}.${name}` };
}

/** The shortest decimal number that is this float32: files hold 9.999999747378752e-6 where 1e-5 is meant. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
