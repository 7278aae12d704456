import type { TrimRun } from "../../trimming/trim-run.js";
import { bytes, count, decimal, percent, plain } from "../page/numbers.js";
import { modelCard, type OriginalModel } from "./model-card.js";

/** README.md of a model without some tokens. */
export function trimCard(run: TrimRun, original: OriginalModel, version: string): string {
  const { vocabSize, check, bytes: sizes } = run;
  const done = [
    `The vocabulary was trimmed from ${count(vocabSize.before)} to ${count(vocabSize.after)} rows; every other weight is what it was. **Token ids are not those of the original**: use the tokenizer in this folder. \`id-map.safetensors\` holds the old id of each row (\`old_ids\`, -1 for padding).`,
    "",
    `On text that was not used to choose, the tokens that went had ${percent(check.removedMass.mean)} of the probability (95% of the contexts: at most ${percent(check.removedMass.percentile95)}); KL(trimmed ‖ original) is ${plain(check.kl)} nats. Perplexity per byte goes from ${decimal(check.perplexityPerByte.before, 4)} to ${decimal(check.perplexityPerByte.after, 4)}, tokens per byte from ${decimal(check.tokensPerByte.before, 4)} to ${decimal(check.tokensPerByte.after, 4)}, weights from ${bytes(sizes.model.before)} to ${bytes(sizes.model.after)}.`,
  ];
  return modelCard(original, { done: done.join("\n"), version });
}
