import type { Architecture } from "../architecture.js";
import { cohere } from "./cohere.js";
import { gemma } from "./gemma.js";
import { gemma2 } from "./gemma2.js";
import { gemma3Text } from "./gemma3-text.js";
import { gptNeo } from "./gpt-neo.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { granite } from "./granite.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { olmo2 } from "./olmo2.js";
import { opt } from "./opt.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

/** Every architecture that unembed reads. */
export const architectures: readonly Architecture[] = [
  gpt2,
  gptNeo,
  gptj,
  gptNeox,
  opt,
  llama,
  mistral,
  qwen2,
  qwen3,
  phi3,
  olmo2,
  granite,
  cohere,
  gemma,
  gemma2,
  gemma3Text,
];
