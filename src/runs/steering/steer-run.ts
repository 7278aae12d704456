import { type GeneratedTexts, generatedTexts, windowPrompts } from "../../generation/generated-texts.js";
import { storeText } from "../../model/contexts/store-text.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import type { Model } from "../../model/model.js";
import { checkEdit, type EditCheck, type EditedGroup } from "../../steering/check/check.js";
import { oppositeEffects } from "../../steering/check/opposite-effects.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import { finalNormOf } from "../../steering/plan-solver.js";
import type { Probes } from "../../steering/probes/probe-contexts.js";
import { textProbes } from "../../steering/probes/text-probes.js";
import { refuseUnsafe } from "../../steering/probes/unsafe-edits.js";
import type { SolvedGroup } from "../../steering/solve/solution.js";
import { probePlan } from "../../steering/solve-and-probe.js";
import { type Steered, steer } from "../../steering/steer.js";
import type { EditedRun, WrittenEdit } from "../../steering/steering-run.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
import { measureWords } from "../../steering/words/measure-words.js";
import { progressOf } from "../run-progress.js";
import { type SteerRunOptions, withDefaults } from "./steer-options.js";
import { tryEdits } from "./steer-trials.js";
import { steeringFacts } from "./steering-facts.js";

/**
 * All that steering finds of a plan, without writing anything: the edits, trials of them, and what the head with them does
 * on each text.
 *
 *     const texts = { fit: corpus("wiki/*.txt"), inDomain: corpus("other-wiki/*.txt") };
 *     const { run, change } = await steerRun(model, await planEdits(model, [" the=x0.5"]), { texts });
 *     console.log(run.edit.check.inDomain?.groups[0]?.scale);
 *
 * @returns what was found, and the change of the head, as saveModel takes it
 * @throws InputError if a text cannot be used, or the targets contradict one another
 */
export async function steerRun(
  model: Model,
  plan: EditPlan,
  options: SteerRunOptions,
): Promise<{ run: EditedRun; change: HeadChange }> {
  return withContexts(model, plan, options, async (contexts) => {
    const solved = await solveRun(model, plan, options, contexts);
    const { change } = solved.steered;
    const head = changedHead(model.head, change);
    return { run: await examineRun(model, { head }, solved, options), change };
  });
}

/** What a run goes through more than once. */
export interface RunContexts {
  /** performance.now() when it began. */
  readonly started: number;
  /** The fitting text. */
  readonly text: StoredContexts;
  /** Contexts that no text holds. */
  readonly probes: Probes;
}

/** Runs the layers over the fitting text and over made-up contexts, once for all of a run, and frees them when the work is done. */
export async function withContexts<Result>(
  model: Model,
  plan: EditPlan,
  options: SteerRunOptions,
  work: (contexts: RunContexts) => Promise<Result>,
): Promise<Result> {
  const started = performance.now();
  const {
    texts,
    tokens,
    contextLength,
    separator,
    beginOfText,
    probes: most,
    seed,
    store,
    signal,
    onEvent,
  } = withDefaults(options);
  // Refused before the text is read.
  if (plan.exact) await finalNormOf(model);
  requireOneStage(model, "steered");
  const text = await storeText(model, texts.fit, {
    ...{ tokens, contextLength, separator, beginOfText, store: await store?.(), signal },
    onProgress: progressOf(onEvent, "steer", "tokens", tokens),
  });
  let probes: Probes | undefined;
  try {
    probes = await textProbes(
      model,
      { fit: texts.fit, unseen: texts.inDomain },
      {
        ...{ most, seed, store: await store?.(), signal },
        onProgress: (done, total) => progressOf(onEvent, "probes", "tokens", total)(done),
      },
    );
    return await work({ started, text, probes });
  } finally {
    await Promise.all([text.release(), probes?.release()]);
  }
}

/** A run whose edits are found and not yet looked at. */
export interface SolvedRun {
  readonly contexts: RunContexts;
  readonly steered: Steered;
  readonly experiments: Experiments | undefined;
}

/** The first half of a run: finds the edits, and tries them in other ways. */
export async function solveRun(
  model: Model,
  plan: EditPlan,
  options: SteerRunOptions,
  contexts: RunContexts,
): Promise<SolvedRun> {
  const { texts, bound, allowUnsafe, seed, store, signal } = withDefaults(options);
  const steered = await steer(model, plan, {
    ...{ corpus: texts.fit, contexts: contexts.text, probes: contexts.probes },
    ...{ bound, allowUnsafe, seed, store: await store?.(), signal },
  });
  return { contexts, steered, experiments: await tryEdits(model, steered.plan, options) };
}

/** A head with the edits in it. */
export interface EditedHead {
  readonly head: Head;
  /** The folder that it is written to. */
  readonly out?: string | undefined;
}

/**
 * The second half: what a head with the edits does, which may have been written and read back.
 * @throws InputError if an edit turns out to be unsafe, and that is not allowed
 */
export async function examineRun(
  model: Model,
  edited: EditedHead,
  { contexts, steered, experiments }: SolvedRun,
  options: SteerRunOptions,
): Promise<EditedRun> {
  const { plan, solution, spread } = steered;
  const probed = await probePlan(model, plan, edited.head, solution, contexts.probes, options.signal);
  refuseUnsafe(plan, probed, options.allowUnsafe);
  const generated = await textsBeforeAndAfter(model, edited.head, plan, options);
  const check = await checkedOn(model, edited, steered, contexts, options);
  const words = await wordsMeasured(model, edited, plan, options);
  const warnings = [...solution.warnings, ...oppositeEffects(plan, solution.groups, check)];
  const edit: WrittenEdit = {
    plan,
    solution: { ...solution, warnings },
    spread,
    check,
    probed,
    words,
    out: edited.out,
  };
  return { ...(await steeringFacts(model, options, contexts.started)), edit, generated, experiments };
}

/** What the edits do to words of several tokens, on unseen text where there is some. */
async function wordsMeasured(model: Model, { head }: EditedHead, plan: EditPlan, options: SteerRunOptions) {
  const { texts, tokens, checkTokens, contextLength, separator, beginOfText, seed, signal } = withDefaults(options);
  const corpus = texts.inDomain ?? texts.fit;
  const shared = { contextLength, separator, beginOfText, seed, signal };
  return measureWords(model, head, plan, corpus, { ...shared, tokens: texts.inDomain ? checkTokens : tokens });
}

/** Texts of the original and of the edited head; undefined where none are wanted, or no text can be made of tokens. */
async function textsBeforeAndAfter(
  original: Model,
  head: Head,
  { edits }: EditPlan,
  { generate, texts, contextLength, separator, beginOfText, signal, onEvent }: SteerRunOptions,
): Promise<GeneratedTexts | undefined> {
  if (generate === undefined || generate.count === 0) return undefined;
  if (!(await original.hasTokenizer())) {
    onEvent?.({ type: "notice", message: `${original.name} has no tokenizer.json: no texts are written` });
    return undefined;
  }
  const { count, tokens } = generate;
  const prompts =
    generate.prompts ??
    (await windowPrompts(original, texts.inDomain ?? texts.fit, { count, contextLength, separator, beginOfText }));
  const seeds = Array.from({ length: Math.ceil(count / prompts.length) }, (_, seed) => seed);
  const tell = progressOf(onEvent, "texts", "tokens", 2 * prompts.length * seeds.length * tokens);
  let written = 0;
  return generatedTexts({
    ...{ original, edited: { head }, prompts, seeds, maxTokens: tokens, signal },
    editedTokens: edits.map((edit) => edit.tokens.map(({ id }) => id)),
    onToken: () => tell(++written),
  });
}

/** The logit bias that each edit is compared with in a text's contexts: that of a word is none where the word is not. */
const idealEverywhere = ({ edits }: EditPlan, groups: readonly SolvedGroup[]): EditedGroup[] =>
  groups.map(({ tokens, idealBias }, g) => ({ tokens, idealBias: isInContext(edits[g]!) ? 0 : idealBias }));

async function checkedOn(
  original: Model,
  { head, out }: EditedHead,
  { plan, solution: { groups } }: Steered,
  { text: fit }: RunContexts,
  options: SteerRunOptions,
): Promise<EditCheck> {
  const { texts, checkTokens, contextLength, separator, beginOfText, seed, signal, onEvent } = withDefaults(options);
  const { inDomain, outOfDomain } = texts;
  const subject = {
    original,
    edited: { head, name: out ?? `${original.name}, edited` },
    groups: idealEverywhere(plan, groups),
  };
  const before = { fit: 0, inDomain: fit.count, outOfDomain: fit.count + (inDomain ? checkTokens : 0) };
  const tell = progressOf(onEvent, "check", "tokens", before.outOfDomain + (outOfDomain ? checkTokens : 0));
  return checkEdit(
    subject,
    { fit, inDomain, outOfDomain },
    {
      ...{ tokens: checkTokens, contextLength, separator, beginOfText, seed, signal },
      onProgress: ({ text, contexts }) => tell(before[text] + contexts),
    },
  );
}
