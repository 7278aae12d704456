import { promptIds } from "../../generation/generate.js";
import { likeliestFirst, softmax } from "../../generation/sampling.js";
import { logSumExp } from "../../measures/divergence.js";
import { optionalTokenizer } from "../../model/head/head-model.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import type { NextChoice, PromptFigure } from "../figures.js";

/** Likeliest tokens listed of each distribution, and edited ones. */
const listed = 12;
const listedEdited = 6;

/** A prompt that the layers have seen. */
export interface OpenPrompt {
  readonly prompt: string;
  readonly ids: readonly number[];
  /** What the head multiplies behind it, [d]. */
  readonly hidden: Float32Array;
  /** The model's own, [V]. */
  readonly logits: Float32Array;
  readonly logNormalizer: number;
  /** Nats. */
  readonly entropy: number;
  /** Ids by falling probability, as many as any figure shows. */
  readonly likeliest: readonly number[];
  readonly textOf: (id: number) => string;
}

/** Logits of some tokens that are no longer the model's own, by id. */
export type ChangedLogits = ReadonlyMap<number, number>;

/** @throws InputError if the prompt cannot be used */
export async function openPrompt(model: Model, prompt: string): Promise<OpenPrompt> {
  const tokenizer = await optionalTokenizer(model);
  const [ids] = promptIds(model, tokenizer, [prompt], "auto") as [readonly number[]];
  const { hidden } = await model.forward(ids);
  const last = hidden.slice(-model.hiddenSize);
  const logits = await model.logits(last);
  const probabilities = softmax(logits);
  return {
    ...{ prompt, ids, hidden: last, logits, logNormalizer: logSumExp(logits) },
    entropy: probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0),
    // More than are listed: edited ones among them are taken out.
    likeliest: Array.from(likeliestFirst(probabilities).subarray(0, 20 * listed)),
    textOf: (id) => tokenizer?.tokenText(id) ?? `#${id}`,
  };
}

/** The distribution with some logits changed: all others keep their proportions. @param edited ids that are marked */
export function promptFigure(
  { prompt, ids, logits, logNormalizer, entropy, likeliest, textOf }: OpenPrompt,
  changed: ChangedLogits,
  edited: ReadonlySet<number>,
): Omit<PromptFigure, "name"> {
  let [gone, come] = [0, 0];
  for (const [id, after] of changed) {
    gone += Math.exp(logits[id]! - logNormalizer);
    come += Math.exp(after - logNormalizer);
  }
  // Where the changed tokens had nearly all of it, the rest is added up anew.
  const rest = gone < mostGone ? 1 - gone : restOf(logits, logNormalizer, changed);
  const shift = Math.log(rest + come);
  const choiceOf = (id: number): NextChoice => ({
    ...{ id, text: textOf(id), edited: edited.has(id) },
    before: Math.exp(logits[id]! - logNormalizer),
    after: Math.exp((changed.get(id) ?? logits[id]!) - logNormalizer - shift),
  });
  let kl = shift;
  // Of the others: sum p ln p before, and with all p divided by e^shift.
  let others = -entropy;
  let entropyAfter = 0;
  for (const [id, z] of changed) {
    const [before, after] = [logits[id]! - logNormalizer, z - logNormalizer - shift];
    kl += Math.exp(before) * (logits[id]! - z);
    others -= before > least ? Math.exp(before) * before : 0;
    entropyAfter -= after > least ? Math.exp(after) * after : 0;
  }
  entropyAfter -= Math.exp(-shift) * (others - shift * rest);
  return {
    ...{ prompt, tokens: ids.length, kl: Math.max(0, kl) },
    entropy: { before: entropy, after: Math.max(0, entropyAfter) },
    choices: listedChoices(likeliest, changed, edited).map(choiceOf),
  };

  function listedChoices(first: readonly number[], moved: ChangedLogits, marked: ReadonlySet<number>): number[] {
    const unmoved = first.filter((id) => !moved.has(id)).slice(0, listed);
    const own = [...moved.keys()].sort((a, b) => moved.get(b)! - moved.get(a)!);
    const shown = new Set([
      ...first.slice(0, listed),
      ...unmoved,
      ...own.slice(0, listed),
      ...own.filter((id) => marked.has(id)).slice(0, listedEdited),
    ]);
    return [...shown].sort((a, b) => (moved.get(b) ?? logits[b]!) - (moved.get(a) ?? logits[a]!) || a - b);
  }
}

/** Share of the changed tokens above which what is left of 1 has lost digits, and the ln of a probability that is none. */
const mostGone = 0.9;
const least = -700;

function restOf(logits: Float32Array, logNormalizer: number, changed: ChangedLogits): number {
  let sum = 0;
  for (const [id, z] of logits.entries()) if (!changed.has(id)) sum += Math.exp(z - logNormalizer);
  return sum;
}

/** Logits behind a prompt of rows that were changed. @param rows x + E_w, [m, d]  @param bias b', where that changed too */
export async function changedLogits(
  { head }: Model,
  { hidden }: OpenPrompt,
  { ids, values }: { readonly ids: Int32Array; readonly values: Float64Array },
  bias: Float64Array | undefined,
): Promise<ChangedLogits> {
  const d = head.hiddenSize;
  const own = await readHeadRows(head, [...ids]);
  const changed = new Map<number, number>();
  for (const [j, id] of ids.entries()) {
    let z = bias?.[id] ?? own.biases[j]!;
    for (let i = 0; i < d; i++) z += values[j * d + i]! * hidden[i]!;
    changed.set(id, transform(head.transform, z).value);
  }
  if (bias === undefined || head.bias === undefined) return changed;
  const before = await readTensorFloat64(head.bias);
  const others = [...bias.keys()].filter((id) => bias[id] !== before[id] && !changed.has(id));
  const { rows } = await readHeadRows(head, others);
  for (const [j, id] of others.entries()) {
    let z = bias[id]!;
    for (let i = 0; i < d; i++) z += rows[j * d + i]! * hidden[i]!;
    changed.set(id, transform(head.transform, z).value);
  }
  return changed;
}

/** The distribution beside that of other logits, [V]. */
export function comparedPrompt(prompt: OpenPrompt, after: Float32Array): Omit<PromptFigure, "name"> {
  const { logits, logNormalizer, entropy, likeliest, textOf } = prompt;
  const normalizer = logSumExp(after);
  let [kl, entropyAfter] = [0, 0];
  for (const [id, z] of after.entries()) {
    const [before, now] = [logits[id]! - logNormalizer, z - normalizer];
    if (before > least) kl += Math.exp(before) * (before - now);
    if (now > least) entropyAfter -= Math.exp(now) * now;
  }
  const risen = Array.from(likeliest)
    .sort((a, b) => after[b]! - after[a]!)
    .slice(0, listed);
  const shown = [...new Set([...likeliest.slice(0, listed), ...risen])].sort((a, b) => after[b]! - after[a]! || a - b);
  return {
    ...{ prompt: prompt.prompt, tokens: prompt.ids.length, kl: Math.max(0, kl) },
    entropy: { before: entropy, after: entropyAfter },
    choices: shown.map((id) => ({
      ...{ id, text: textOf(id), edited: false },
      before: Math.exp(logits[id]! - logNormalizer),
      after: Math.exp(after[id]! - normalizer),
    })),
  };
}
