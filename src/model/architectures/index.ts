import type { Architecture } from "../architecture.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";

/** Every architecture that unembed reads. */
export const architectures: readonly Architecture[] = [gpt2, gptNeox];
