import { cohereFamilies } from "./families/cohere.js";
import { fusedFamilies } from "./families/fused.js";
import { gemmaFamilies } from "./families/gemma.js";
import { gpt2 } from "./families/gpt2.js";
import { llamaFamilies } from "./families/llama.js";
import { normFamilies } from "./families/norms.js";
import { qwenFamilies } from "./families/qwen.js";
import type { GgufContents, GgufFamily } from "./gguf-family.js";

const families: readonly GgufFamily[] = [
  gpt2,
  ...llamaFamilies,
  ...qwenFamilies,
  ...gemmaFamilies,
  ...cohereFamilies,
  ...fusedFamilies,
  ...normFamilies,
];

/** Values of `general.architecture` that are read. */
export const ggufArchitectures: readonly string[] = families.map(({ architecture }) => architecture);

/** @throws InputError naming the architecture if it is not read */
export function familyOf({ metadata }: Pick<GgufContents, "metadata">): GgufFamily {
  const found = families.find(({ architecture }) => architecture === metadata.architecture);
  if (found !== undefined) return found;
  const quoted = JSON.stringify(metadata.architecture.slice(0, 40));
  return metadata.fail(
    "general.architecture",
    `is ${quoted}, which is not supported; known: ${ggufArchitectures.join(", ")}`,
  );
}
