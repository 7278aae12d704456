import { createProducts } from "../../engine/products.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { Model } from "../../model/model.js";
import { joinedChanges } from "../bans/with-bans.js";
import type { EditPlan } from "../plan/saved-plan.js";
import { isInContext } from "../plan/word-edits.js";
import { editedTokens } from "../solve/problem/edited-tokens.js";
import { fittingText, type Subject, type Watched } from "../solve/problem/fitting-text.js";
import { groupMeans } from "../solve/problem/joint-scales.js";
import type { WeighedContexts } from "../solve/rows/nearest-edits.js";
import type { Solution, SolvedGroup } from "../solve/solution.js";
import { type WordTexts, wordFitter } from "./fit-words.js";
import type { SolvedWord } from "./solve-word.js";
import { isWordEdit, type WordEdit } from "./words-in-text.js";

/** The contexts that words are solved in: a text's, probes, and where one is wanted a guard. */
export interface WordSolverContexts extends WordTexts {
  readonly guardOf?: (() => Promise<ContextRows | undefined>) | undefined;
}

/** Adds edits of words to those of all contexts. @param base of the plan's other edits, in the plan's order; undefined if there are none */
export type WordSolver = (base: Solution | undefined, alsoRight: WeighedContexts | undefined) => Promise<Solution>;

/**
 * Solves a plan's edits of words of several tokens on the head that has its other edits, whose mean probabilities are then
 * taken again.
 */
export function wordSolver(
  model: Model,
  plan: EditPlan,
  { contexts, probes, guardOf }: WordSolverContexts,
  { signal }: Watched = {},
): WordSolver {
  const edits = plan.edits.filter(isInContext).filter(isWordEdit);
  const fitWords = wordFitter(model, edits, { contexts, probes }, signal);
  return async (base, alsoRight) => {
    const changed = base ? changedHead(model.head, changeOf(base)) : model.head;
    const weights = alsoRight?.weights.filter((_, g) => isInContext(plan.edits[g]!));
    const words = await fitWords(changed, {
      ...{ lambda: plan.lambda, calibrate: plan.calibrate, guard: await guardOf?.() },
      alsoRight: alsoRight && weights && { contexts: alsoRight.contexts, weights },
    });
    const own = rowsOf(edits, words, model.hiddenSize);
    const subject = { head: changedHead(changed, { rows: own }), engine: model.engine, contexts };
    const after = base && (await meansOf(subject, base, { signal }));
    let [nextWord, nextOther] = [0, 0];
    return {
      method: "nearest",
      warnings: base?.warnings ?? [],
      rows: base ? joinedChanges({ rows: base.rows }, own).rows! : own,
      bias: base?.bias,
      groups: plan.edits.map((edit): SolvedGroup => {
        if (isInContext(edit)) return groupOf(edit, words[nextWord++]!);
        const group = base!.groups[nextOther]!;
        return { ...group, probability: { ...group.probability, after: after![nextOther++]! } };
      }),
    };
  };
}

const changeOf = ({ rows, bias }: Solution): HeadChange => ({ rows, ...(bias ? { bias } : {}) });

function rowsOf(edits: readonly WordEdit[], words: readonly SolvedWord[], d: number): Solution["rows"] {
  const order = edits.map(({ tokens }, j) => ({ id: tokens[0]!.id, row: words[j]!.row })).sort((a, b) => a.id - b.id);
  const values = new Float64Array(order.length * d);
  for (const [j, { row }] of order.entries()) values.set(row, j * d);
  return { ids: Int32Array.from(order, ({ id }) => id), values };
}

function groupOf({ tokens, target }: EditPlan["edits"][number], { row: _, ...found }: SolvedWord): SolvedGroup {
  return { tokens: tokens.map(({ id }) => id), target, ...found };
}

/** Mean probability of each group on a text, under a head as it is, [G]. */
async function meansOf(subject: Subject, { groups }: Solution, watched: Watched): Promise<Float64Array> {
  const { head, engine } = subject;
  const products = await createProducts(engine, head.hiddenSize);
  try {
    const text = await fittingText(subject, watched);
    const ids = groups.flatMap(({ tokens }) => tokens);
    const { rest, raw } = await editedTokens(subject, text, products, ids, watched);
    const groupOf = groups.flatMap(({ tokens }, g) => tokens.map(() => g));
    const lines = { text, products, groupOf, groups: groups.length, transform: head.transform, rest, raw };
    return await groupMeans(lines, new Float64Array(groups.length));
  } finally {
    await products.release();
  }
}
