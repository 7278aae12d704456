import { generatedTexts } from "../../generation/generated-texts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { Model } from "../../model/model.js";
import type { TextsFigure } from "../figures.js";
import type { Choices } from "../state.js";
import type { ExactSolve } from "./exact-solve.js";

/** The edited head of an exact solve; the model's own where nothing is edited. */
export const editedHead = ({ head }: Model, solve: ExactSolve | undefined): Head =>
  solve === undefined ? head : changedHead(head, solve.change);

/** What both heads go on with after the prompt, from the same random numbers. */
export async function writeTexts(
  model: Model,
  head: Head,
  { prompt, writing }: Pick<Choices, "prompt" | "writing">,
  {
    of,
    marked,
    signal,
    onToken,
  }: {
    readonly of: TextsFigure["of"];
    readonly marked: readonly number[];
    readonly signal: AbortSignal;
    readonly onToken: () => void;
  },
): Promise<TextsFigure> {
  const { tokens, seed, temperature, topK, topP } = writing;
  const { pairs } = await generatedTexts({
    ...{ original: model, edited: { head }, prompts: [prompt], seeds: [seed], maxTokens: tokens, temperature },
    ...{ topK: topK ?? undefined, topP: topP ?? undefined, editedTokens: [marked], signal, onToken },
  });
  const { before, after } = pairs[0]!;
  return { name: "texts", of, prompt, seed, before, after, complete: true };
}
