import { quote } from "../tensor/strict-json.js";
import type { Architecture } from "./architecture.js";
import { architectures } from "./architectures/index.js";
import type { Config } from "./config.js";
import { textPart, wrapperTypes } from "./text-part.js";

/** The language model of a checkpoint: all of it, or the part of a larger model that reads text. */
export interface LanguageModel {
  readonly architecture: Architecture;
  readonly config: Config;
  /** `model_type` of the config, and of its text part where it has one. */
  readonly modelType: string;
}

/** @returns undefined if the family is not known @throws InputError if a text part is of a family that is not known */
export function findLanguageModel(config: Config): LanguageModel | undefined {
  const modelType = config.string("model_type", "unknown");
  const architecture = findArchitecture(modelType);
  if (architecture !== undefined) return { architecture, config, modelType };
  const part = textPart(config, modelType);
  if (part === undefined) return undefined;
  const family = findArchitecture(part.family);
  return {
    architecture: part.inside(family ?? part.config.fail("model_type", unknownFamily(part.modelType))),
    config: part.config,
    modelType: `${modelType} (text: ${part.modelType})`,
  };
}

/** @throws InputError if the family is not known */
export function requireLanguageModel(config: Config): LanguageModel {
  return findLanguageModel(config) ?? config.fail("model_type", unknownFamily(config.string("model_type")));
}

function findArchitecture(modelType: string): Architecture | undefined {
  return architectures.find(({ modelTypes }) => modelTypes.includes(modelType));
}

function unknownFamily(modelType: string): string {
  const known = [...architectures.flatMap(({ modelTypes }) => modelTypes), ...wrapperTypes].join(", ");
  return `is ${quote(modelType)}, an architecture that is not supported; known: ${known}`;
}
