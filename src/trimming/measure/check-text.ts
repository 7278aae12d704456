import type { Corpus } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { textOf } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { inOrder } from "../../engine/in-order.js";
import { InputError } from "../../errors.js";
import type { BeforeAfter } from "../../measures/before-after.js";
import { contextValues, type Spread } from "../../measures/context-values.js";
import type { Model } from "../../model/model.js";
import { followingTokens } from "../../model/pass/window-batches.js";
import { removedMassSession } from "./removed-mass.js";

/** How the output over a text changes with the tokens that go. */
export interface TrimCheck {
  readonly contexts: number;
  readonly bytes: number;
  /** Probability that the tokens that go have in a context. */
  readonly removedMass: Spread;
  /** KL(trimmed || original) = -ln(1 - removed mass), mean over the contexts, nats. */
  readonly kl: number;
  /** e to the text's negative log likelihood a byte (UTF-8); a token is another thing before and after. */
  readonly perplexityPerByte: BeforeAfter;
  readonly tokensPerByte: BeforeAfter;
}

/** A text and how long it may be. */
export interface CheckTextOptions {
  readonly contextLength: number;
  /** Ids that every window starts with. */
  readonly beginOfText?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/**
 * As much of a corpus as has so many tokens, in one piece.
 * @throws InputError if it is token ids, which cannot be read with another vocabulary, or empty
 */
export async function checkText(corpus: Corpus, tokenizer: Tokenizer, tokens: number): Promise<string> {
  let text = "";
  let held = 0;
  for await (const document of corpus.documents()) {
    if ("ids" in document) {
      throw new InputError(document.name, "is token ids; text is wanted, to be read with both vocabularies");
    }
    for await (const part of textOf(document, tokenizer)) {
      for (let at = 0; at < part.length && held < tokens; at += partLength) {
        const piece = part.slice(at, at + partLength);
        text += piece;
        held += tokenizer.encode(piece).length;
      }
      if (held >= tokens) return cutAtSpace(text, tokens / held);
    }
  }
  if (held < 2) throw new InputError("check", "holds no text to measure on");
  return text;
}

const partLength = 2 ** 12;

/** A share of a text, to the end of a word. */
function cutAtSpace(text: string, share: number): string {
  const about = Math.floor(text.length * share);
  const space = text.slice(about).search(/\s/);
  return space < 0 ? text : text.slice(0, about + space);
}

/**
 * What a text loses with the tokens that go. The trimmed model has the original's hidden states, its logits of the tokens that
 * stay, and so its distribution renormalised: it is measured with the original's own head.
 * @param trimmed the tokenizer without them @param kept their old ids, by new id
 */
export async function measureTrim(
  model: Model,
  { text, trimmed, kept }: { text: string; trimmed: Pick<Tokenizer, "encode">; kept: Int32Array },
  options: CheckTextOptions,
): Promise<TrimCheck> {
  const tokenizer = await model.tokenizer();
  const bytes = new TextEncoder().encode(text).length;
  const before = tokenizer.encode(text);
  const after = trimmed.encode(text).map((id) => kept[id]!);
  const own = await readThrough(model, before, kept, options);
  const other = await readThrough(model, after, kept, options);
  const perByte = (meanLoss: number, tokens: number) => Math.exp((meanLoss * tokens) / bytes);
  return {
    contexts: own.contexts,
    bytes,
    removedMass: own.removed.spread(),
    kl: own.kl / own.contexts,
    perplexityPerByte: {
      before: perByte(own.loss, before.length),
      after: perByte(other.renormalisedLoss, after.length),
    },
    tokensPerByte: { before: before.length / bytes, after: after.length / bytes },
  };
}

/** @returns means over the next tokens (`loss`), sums over the contexts (`kl`) */
async function readThrough(
  model: Model,
  ids: readonly number[],
  kept: Int32Array,
  { contextLength, beginOfText, signal, onProgress }: CheckTextOptions,
) {
  const pass = await model.pass(windows(inOnePart(ids), { contextLength, beginOfText }), { signal });
  const session = await removedMassSession(model.engine, model.head, kept);
  const removed = contextValues();
  let [contexts, kl, loss, renormalised, predicted] = [0, 0, 0, 0, 0];
  try {
    const results = inOrder(pass.batches, session.concurrency + 1, async (part) => ({
      part,
      mass: await session.run(await pass.hiddenOf(part), followingTokens(part)),
    }));
    for await (const { part, mass } of results) {
      signal?.throwIfAborted();
      removed.append(mass.removed);
      for (const [t, keptLog] of mass.keptLogProbability.entries()) {
        kl -= keptLog;
        if (t % part.length === part.length - 1) continue;
        loss -= mass.nextLogProbability[t]!;
        renormalised -= mass.nextLogProbability[t]! - keptLog;
        predicted++;
      }
      contexts += mass.removed.length;
      onProgress?.(contexts);
    }
  } finally {
    await Promise.all([session.release(), pass.release()]);
  }
  return { contexts, removed, kl, loss: loss / predicted, renormalisedLoss: renormalised / predicted };
}

async function* inOnePart(ids: readonly number[]) {
  yield ids;
}
