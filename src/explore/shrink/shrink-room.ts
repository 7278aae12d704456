import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import { measureHead } from "../../reduction/measure/measure-head.js";
import { reducedMultiplications } from "../../reduction/measure/multiplications.js";
import { planReduction, type ReductionPlan, reduceHead } from "../../reduction/plan/reduction-plan.js";
import { factoredHeadBytes } from "../../reduction/write/reduced-bytes.js";
import type { Action, ShrinkSize } from "../actions.js";
import { type Desk, textKey } from "../desk.js";
import type { ReadText } from "../read/read-text.js";
import type { ShrinkNumbers } from "../state.js";
import { comparedPrompt } from "../steer/prompt.js";
import { logitsAt, lossAt, prepareShrinking, type Shrinking } from "./shrinking.js";

/** Has Shrink's sliders prepared where someone looks at them, and the chosen size measured. */
export function refreshShrink(desk: Desk): void {
  const { store, work, read } = desk;
  const { choices, room } = store.state;
  if (read === undefined) return;
  const wanted = choices.shrink !== null || room === "shrink" || desk.shrinking !== undefined;
  if (!wanted) return;
  work.ensure("shrink", textKey(desk), "preparing smaller heads", async (signal, onStep) => {
    const shrinking = await prepareShrinking(desk.model!, read.contexts, signal, (done, total) =>
      onStep(done, total, "steps"),
    );
    if (signal.aborted) return;
    desk.shrinking = shrinking;
    store.show({ name: "shrink", curve: shrinking.curve });
    store.set({ shrink: { live: true, maxKept: shrinking.chain.chain.rank, measured: null } });
  });
  const { shrinking } = desk;
  if (shrinking === undefined) return;
  const { shrink: size } = choices;
  if (size === null && store.state.shrink?.measured) store.set({ shrink: { ...store.state.shrink, measured: null } });
  const key = size === null ? undefined : `${textKey(desk)} ${JSON.stringify(size)}`;
  work.ensure("measure", key, "measuring the smaller head", async (signal) => {
    const measured = await measuredAt(desk.model!, read, shrinking, size!, signal);
    if (!signal.aborted) store.set({ shrink: { ...store.state.shrink!, measured } });
  });
}

/** The plan of a size: `reduce`'s with directions and without refinement. */
export function planAt(
  model: Model,
  { contexts }: ReadText,
  { reductions }: Pick<Shrinking, "reductions">,
  { kept, rescore }: ShrinkSize,
  signal?: AbortSignal,
): Promise<ReductionPlan> {
  const choice = { kept: Math.min(kept, model.hiddenSize), order: "rotation", compensate: "least-squares" } as const;
  return planReduction(
    model,
    contexts,
    { ...choice, ...(rescore > 0 ? { rescore: Math.min(rescore, model.vocabSize) } : {}), signal },
    reductions,
  );
}

/** A reduced head in the model's own shape. */
export async function headAt(model: Model, plan: ReductionPlan): Promise<Head> {
  return spreadHead(model, reduceHead(model, plan));
}

async function measuredAt(
  model: Model,
  read: ReadText,
  shrinking: Shrinking,
  size: ShrinkSize,
  signal: AbortSignal,
): Promise<ShrinkNumbers> {
  const plan = await planAt(model, read, shrinking, size, signal);
  const reduced = reduceHead(model, plan);
  const { kl, top1, perplexity } = await measureHead(model, await headAt(model, plan), read.contexts, { signal });
  return { size, kl: kl.mean, top1, perplexity, ...costsOf(model, reduced) };
}

const costsOf = ({ head }: Model, reduced: ReducedHead) => ({
  bytes: factoredHeadBytes(head, reduced),
  multiplications: reducedMultiplications(head, reduced),
});

/** Answers one position of the size slider, by the curve and the prompt. */
export function answerShrink(desk: Desk, { size, sequence }: Extract<Action, { type: "slide-shrink" }>): void {
  const started = performance.now();
  const { shrinking, model, prompt, store } = desk;
  if (shrinking === undefined || model === undefined) return;
  const { kl, top1, perplexity } = lossAt(shrinking.curve, model.hiddenSize, size.kept);
  // What a size costs depends on no number of it.
  const none = new Float32Array(0);
  const sized: ReducedHead = {
    ...{
      kept: Math.min(size.kept, model.hiddenSize),
      coordinates: undefined,
      projection: none,
      factor: none,
      bias: none,
    },
    ...(size.rescore > 0 ? { rescore: Math.min(size.rescore, model.vocabSize) } : {}),
  };
  store.show({
    ...{ name: "shrink-live", sequence },
    numbers: {
      ...{ size, kl, top1, ...costsOf(model, sized) },
      perplexity: { before: shrinking.curve[0]!.perplexity, after: perplexity },
    },
    prompt: prompt ? comparedPrompt(prompt, logitsAt(shrinking, model, prompt, size.kept)) : null,
    milliseconds: performance.now() - started,
  });
}
