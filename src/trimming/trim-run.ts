import type { Corpus } from "../corpus/corpus.js";
import type { BeforeAfter } from "../measures/before-after.js";
import type { TrimCheck } from "./measure/check-text.js";
import type { MassPoint } from "./measure/mass-curve.js";
import type { TokenKind } from "./measure/token-kinds.js";
import type { KeptCounts } from "./plan/kept-tokens.js";

/** What was found when a trimmed model was read back from where it was written. */
export interface TrimProof {
  /** Pieces of the text whose tokens all stay: each was read with the same tokens as before, by their new ids. */
  readonly sameTokens: number;
  /** Pieces of text that came back as they went in, of those that do so in the original. */
  readonly roundTrips: number;
  /** Largest difference of the logits of kept tokens, over the largest logit's magnitude. */
  readonly logitDifference: number;
}

/** A token as a table shows it. */
export interface RemovedToken {
  readonly id: number;
  readonly text: string;
  readonly meanProbability: number;
  readonly count: number;
}

/** Everything that one trimming measured: what the report shows and run.json holds. */
export interface TrimRun {
  readonly model: {
    readonly name: string;
    readonly modelType: string;
    readonly hiddenSize: number;
    readonly dtype: string;
    readonly tied: boolean;
  };
  readonly corpus: {
    readonly fit: Corpus["files"];
    readonly check: Corpus["files"];
    readonly contextLength: number;
    readonly contexts: number;
    /** Whether every window begins with the begin-of-text token. */
    readonly beginOfText: boolean;
  };
  /** Rows of E, padding included. */
  readonly vocabSize: BeforeAfter;
  /** Tokens that stay, without padding, and why. */
  readonly kept: { readonly tokens: number } & Partial<KeptCounts>;
  /** Mean output probability over the corpus of the tokens that go, and how much of the corpus they are. */
  readonly removed: { readonly mass: number; readonly ofText: number };
  readonly check: TrimCheck;
  readonly kinds: readonly TokenKind[];
  readonly curve: readonly MassPoint[];
  /** Of the tokens that go, those that are used most. */
  readonly mostUsed: readonly RemovedToken[];
  /** Bytes of weights: the head and the input embedding where it is another matrix, and the whole model. */
  readonly bytes: { readonly head: BeforeAfter; readonly model: BeforeAfter };
  /** Per token, one text at a time with cache: of the head, and of a whole decoding step. */
  readonly milliseconds: { readonly head: BeforeAfter; readonly step: BeforeAfter };
  readonly proof?: TrimProof | undefined;
  readonly warnings: readonly string[];
  readonly threads: number;
  readonly seconds: number;
}

/** What `unembed trim --json` prints. */
export interface TrimSummary extends Pick<TrimRun, "vocabSize" | "kept" | "removed" | "bytes" | "milliseconds"> {
  readonly check: Pick<TrimCheck, "removedMass" | "kl" | "perplexityPerByte" | "tokensPerByte">;
  readonly proof: TrimProof | null;
  readonly warnings: readonly string[];
  /** Where it was written; null for a dry run. */
  readonly out: string | null;
}

/** A trimming in numbers that fit on a page (docs/run-schema.md). @param out where it was written */
export function summarizeTrim(run: TrimRun, out: string | undefined): TrimSummary {
  const { vocabSize, kept, removed, bytes, milliseconds, check, proof, warnings } = run;
  const { removedMass, kl, perplexityPerByte, tokensPerByte } = check;
  return {
    ...{ vocabSize, kept, removed, bytes, milliseconds },
    check: { removedMass, kl, perplexityPerByte, tokensPerByte },
    proof: proof ?? null,
    warnings,
    out: out ?? null,
  };
}
