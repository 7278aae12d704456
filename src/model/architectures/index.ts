import type { Architecture } from "../architecture.js";
import { bloom } from "./bloom.js";
import { codegen } from "./codegen.js";
import { cohere } from "./cohere.js";
import { deepseekV3 } from "./deepseek-v3.js";
import { exaone4 } from "./exaone4.js";
import { falcon } from "./falcon.js";
import { gemma } from "./gemma.js";
import { gemma2 } from "./gemma2.js";
import { gemma3Text } from "./gemma3-text.js";
import { glm4 } from "./glm4.js";
import { glm4Moe } from "./glm4-moe.js";
import { gptBigcode } from "./gpt-bigcode.js";
import { gptNeo } from "./gpt-neo.js";
import { gptNeox } from "./gpt-neox.js";
import { gptOss } from "./gpt-oss.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { granite } from "./granite.js";
import { graniteMoe } from "./granitemoe.js";
import { lfm2 } from "./lfm2.js";
import { llama } from "./llama.js";
import { llama4Text } from "./llama4-text.js";
import { mamba } from "./mamba.js";
import { mamba2 } from "./mamba2.js";
import { ministral3 } from "./ministral3.js";
import { mistral } from "./mistral.js";
import { mixtral } from "./mixtral.js";
import { mpt } from "./mpt.js";
import { nemotron } from "./nemotron.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { olmo3 } from "./olmo3.js";
import { olmoe } from "./olmoe.js";
import { opt } from "./opt.js";
import { phi } from "./phi.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen2Moe } from "./qwen2-moe.js";
import { qwen3 } from "./qwen3.js";
import { qwen3Moe } from "./qwen3-moe.js";
import { qwen3Next } from "./qwen3-next.js";
import { seedOss } from "./seed-oss.js";
import { smollm3 } from "./smollm3.js";
import { stablelm } from "./stablelm.js";
import { starcoder2 } from "./starcoder2.js";

/** Every architecture that unembed reads. */
export const architectures: readonly Architecture[] = [
  gpt2,
  gptBigcode,
  gptNeo,
  gptj,
  codegen,
  gptNeox,
  opt,
  bloom,
  mpt,
  falcon,
  llama,
  mistral,
  ministral3,
  qwen2,
  qwen3,
  phi,
  phi3,
  olmo,
  olmo2,
  olmo3,
  stablelm,
  starcoder2,
  nemotron,
  smollm3,
  glm4,
  exaone4,
  seedOss,
  granite,
  cohere,
  gemma,
  gemma2,
  gemma3Text,
  mixtral,
  qwen2Moe,
  qwen3Moe,
  olmoe,
  graniteMoe,
  glm4Moe,
  gptOss,
  llama4Text,
  deepseekV3,
  qwen3Next,
  lfm2,
  mamba,
  mamba2,
];
