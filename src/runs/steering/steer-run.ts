import { type GeneratedTexts, generatedTexts, windowPrompts } from "../../generation/generated-texts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { Model } from "../../model/model.js";
import { checkEdit, type EditCheck } from "../../steering/check/check.js";
import { oppositeEffects } from "../../steering/check/opposite-effects.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { hasBans } from "../../steering/plan-solver.js";
import type { Probes } from "../../steering/probes/probe-contexts.js";
import { textProbes } from "../../steering/probes/text-probes.js";
import { probePlan } from "../../steering/solve-and-probe.js";
import { type Steered, steer } from "../../steering/steer.js";
import type { EditedRun, WrittenEdit } from "../../steering/steering-run.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
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
  return withProbes(model, plan, options, async (probes) => {
    const solved = await solveRun(model, plan, options, probes);
    const { change } = solved.steered;
    const head = changedHead(model.head, change);
    return { run: await examineRun(model, { head }, solved, options), change };
  });
}

/** Makes the contexts that edits are probed in, of a plan with bans, and frees them when the work is done. */
export async function withProbes<Result>(
  model: Model,
  plan: EditPlan,
  options: SteerRunOptions,
  work: (probes: Probes | undefined) => Promise<Result>,
): Promise<Result> {
  if (!hasBans(plan)) return work(undefined);
  const { texts, probes: most, seed, store, signal, onEvent } = withDefaults(options);
  const tell = progressOf(onEvent, "probes", "tokens");
  const probes = await textProbes(
    model,
    { fit: texts.fit, unseen: texts.inDomain },
    { ...{ most, seed, store: await store?.(), signal }, onProgress: tell },
  );
  try {
    return await work(probes);
  } finally {
    await probes.release();
  }
}

/** A run whose edits are found and not yet looked at. */
export interface SolvedRun {
  /** performance.now() at its beginning. */
  readonly started: number;
  readonly steered: Steered;
  readonly probes: Probes | undefined;
  readonly experiments: Experiments | undefined;
}

/** The first half of a run: finds the edits, and tries them in other ways. */
export async function solveRun(
  model: Model,
  plan: EditPlan,
  options: SteerRunOptions,
  probes: Probes | undefined,
): Promise<SolvedRun> {
  const started = performance.now();
  const { texts, tokens, contextLength, separator, bound, allowUnsafe, seed, store, signal, onEvent } =
    withDefaults(options);
  const steered = await steer(model, plan, {
    ...{ probes, bound, allowUnsafe, seed },
    ...{ corpus: texts.fit, tokens, contextLength, separator, store: await store?.(), signal },
    onProgress: progressOf(onEvent, "steer", "tokens", tokens),
  });
  return { started, steered, probes, experiments: await tryEdits(model, steered.plan, options) };
}

/** A head with the edits in it. */
export interface EditedHead {
  readonly head: Head;
  /** The folder that it is written to. */
  readonly out?: string | undefined;
}

/** The second half: what a head with the edits does, which may have been written and read back. */
export async function examineRun(
  model: Model,
  edited: EditedHead,
  { started, steered, probes, experiments }: SolvedRun,
  options: SteerRunOptions,
): Promise<EditedRun> {
  const generated = await textsBeforeAndAfter(model, edited.head, steered.plan, options);
  const check = await checkedOn(model, edited, steered, options);
  const { plan, solution, spread } = steered;
  const probed = probes && (await probePlan(model, plan, edited.head, solution, probes, options.signal));
  const warnings = [...solution.warnings, ...oppositeEffects(plan, solution.groups, check)];
  const edit: WrittenEdit = { plan, solution: { ...solution, warnings }, spread, check, probed, out: edited.out };
  return { ...steeringFacts(model, options, started), edit, generated, experiments };
}

/** Texts of the original and of the edited head; undefined where none are wanted, or no text can be made of tokens. */
async function textsBeforeAndAfter(
  original: Model,
  head: Head,
  { edits }: EditPlan,
  { generate, texts, contextLength, separator, signal, onEvent }: SteerRunOptions,
): Promise<GeneratedTexts | undefined> {
  if (generate === undefined || generate.count === 0) return undefined;
  if (!(await original.hasTokenizer())) {
    onEvent?.({ type: "notice", message: `${original.name} has no tokenizer.json: no texts are written` });
    return undefined;
  }
  const { count, tokens } = generate;
  const prompts =
    generate.prompts ??
    (await windowPrompts(original, texts.inDomain ?? texts.fit, { count, contextLength, separator }));
  const seeds = Array.from({ length: Math.ceil(count / prompts.length) }, (_, seed) => seed);
  const tell = progressOf(onEvent, "texts", "tokens", 2 * prompts.length * seeds.length * tokens);
  let written = 0;
  return generatedTexts({
    ...{ original, edited: { head }, prompts, seeds, maxTokens: tokens, signal },
    editedTokens: edits.map((edit) => edit.tokens.map(({ id }) => id)),
    onToken: () => tell(++written),
  });
}

async function checkedOn(
  original: Model,
  { head, out }: EditedHead,
  { solution: { groups } }: Steered,
  options: SteerRunOptions,
): Promise<EditCheck> {
  const { texts, tokens, checkTokens, contextLength, separator, seed, signal, onEvent } = withDefaults(options);
  const { fit, inDomain, outOfDomain } = texts;
  const subject = { original, edited: { head, name: out ?? `${original.name}, edited` }, groups };
  const shared = { contextLength, separator, seed, signal };
  const telling = (total: number) => ({
    tokens: total,
    onProgress: ({ contexts }: { contexts: number }) => progressOf(onEvent, "check", "tokens", total)(contexts),
  });
  return {
    ...(await checkEdit(subject, { fit }, { ...shared, ...telling(tokens) })),
    ...(await checkEdit(subject, { inDomain, outOfDomain }, { ...shared, ...telling(checkTokens) })),
  };
}
