import { defaultMaxTokens, type GeneratedText, type GenerateOptions, generate } from "../generation/generate.js";
import type { Model } from "../model/model.js";
import type { OnRunEvent } from "./run-events.js";

/** What texts are written, and who is told. */
export interface GenerationRunOptions extends GenerateOptions {
  readonly onEvent?: OnRunEvent | undefined;
}

/** A text as far as it was written, whether it was finished or not: of one that was not, what it took is not known. */
export type WrittenText = Omit<GeneratedText, "finish" | "withdrawn" | "calls"> &
  Partial<Pick<GeneratedText, "withdrawn" | "calls">> & { readonly finish: GeneratedText["finish"] | "interrupted" };

/** The texts of a run, and how long they took. */
export interface GenerationRun {
  readonly texts: readonly WrittenText[];
  /** The signal was aborted: the texts are what was written until then. */
  readonly interrupted: boolean;
  /** Tokens written, in all texts together. */
  readonly tokens: number;
  readonly seconds: number;
}

/**
 * Goes on with prompts, telling how far it is. Where the signal is aborted, it gives what was written so far rather than
 * nothing.
 * @throws InputError if a prompt cannot be used, an option makes no sense or logits are not finite
 */
export async function generationRun(
  model: Model,
  { onEvent, ...options }: GenerationRunOptions,
): Promise<GenerationRun> {
  const { maxTokens = defaultMaxTokens, n = 1, signal, onToken } = options;
  const prompts = options.prompts ?? (options.prompt === undefined ? [] : [options.prompt]);
  const soFar = prompts.flatMap((_, prompt) => Array.from({ length: n }, (_, sample) => unwritten(prompt, sample)));
  const started = performance.now();
  const run = (texts: readonly WrittenText[], interrupted: boolean): GenerationRun => {
    const seconds = (performance.now() - started) / 1000;
    return { texts, interrupted, tokens: tokensIn(soFar), seconds };
  };
  try {
    const texts = await generate(model, {
      ...options,
      onToken(token) {
        const one = soFar[token.prompt * n + token.sample]!;
        one.ids.push(token.id);
        one.text += token.text;
        const total = soFar.length * maxTokens;
        onEvent?.({ type: "progress", phase: "generate", done: tokensIn(soFar), total, unit: "tokens" });
        onToken?.(token);
      },
    });
    return run(texts, false);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return run(soFar, true);
    throw error;
  }
}

function unwritten(prompt: number, sample: number) {
  return { prompt, sample, ids: [] as number[], text: "", finish: "interrupted" as const, restarts: 0 };
}

function tokensIn(texts: readonly { readonly ids: readonly number[] }[]): number {
  return texts.reduce((sum, { ids }) => sum + ids.length, 0);
}
