import { gramSession } from "../../engine/gram-session.js";
import { createProducts } from "../../engine/products.js";
import { norm } from "../../linalg/dot.js";
import type { Gram } from "../../linalg/gram.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { storedType } from "../../tensor/blocks/block-tensor.js";
import { defaultLambda, type Method } from "../plan/method.js";
import { checkGroups, type TokenGroup, tolerance } from "../plan/targets.js";
import { type Directions, directionOf } from "./direction.js";
import { productValues } from "./problem/edited-tokens.js";
import { type FittingText, fittingText, type Subject, type Watched } from "./problem/fitting-text.js";
import { solveLengths } from "./problem/joint-scales.js";
import { type Problem, poseProblem, withGuard } from "./problem/posed-problem.js";
import { isGuardedScale } from "./rows/guard-contexts.js";
import { judgeRows, type Outcome } from "./rows/judge-rows.js";
import { type FoundRows, nearestEdits, type WeighedContexts } from "./rows/nearest-edits.js";
import { roundRows } from "./rows/round-rows.js";
import type { Solution, SolvedGroup } from "./solution.js";

export type { Subject } from "./problem/fitting-text.js";

export interface SolveOptions extends Directions, Watched {
  readonly method?: Method | undefined;
  /** How much the size of the edits counts against their faithfulness: of all, or of each group. */
  readonly lambda?: number | readonly number[] | undefined;
  /** Solve the lengths so that the targets hold on the fitting text. */
  readonly calibrate?: boolean | undefined;
  /** Contexts unlike the text's in which `nearest` is to stay near the ideal too (guardContexts), asked for if an edit needs them. Default: none. */
  readonly guardOf?: (() => Promise<StoredContexts | undefined>) | undefined;
  /** Contexts that `nearest` is to get right as well, weighed in the order of the groups: such as probes that went wrong. */
  readonly alsoRight?: WeighedContexts | undefined;
  /** Rows that `nearest` found before for the same groups on the same head and text: not solved for again, and added to. */
  readonly found?: FoundRows | undefined;
  /** Told how many rows are found, of how many. */
  readonly onRows?: ((found: number, of: number) => void) | undefined;
}

/** Relative error of a mean probability beyond which exact rows have not reached a target. */
const missed = 1e-6;
/** Difference of a logit that changes a probability by 2%. */
const noticeable = 0.02;

/**
 * Rows of E that give each group its target on a text (METHOD.md section 3): the edits by the method, then their lengths, then
 * rows in E's number type, then what those do.
 * @throws RangeError if the groups contradict one another, a target cannot be a probability, or a token never occurs
 */
export async function solveEdits(
  subject: Subject,
  groups: readonly TokenGroup[],
  options: SolveOptions = {},
): Promise<Solution> {
  const { head, engine } = subject;
  const { method = "nearest", calibrate = true, signal } = options;
  checkGroups(groups, head.vocabSize);
  const text = await fittingText(subject, options);
  const products = await createProducts(engine, head.hiddenSize);
  const { gram, release } = await gramSession(engine);
  try {
    const problem = await poseProblem(subject, text, products, groups, options);
    const { tokens, groupOf, ideal } = problem;
    const found =
      method === "nearest"
        ? await guardedEdits(subject, problem, gram, options)
        : await editsAlong(method, text, gram, problem, head.hiddenSize, options);
    const { edits, reached } = calibrate
      ? await calibrated(problem, found, signal)
      : { edits: found, reached: undefined };
    const aims = reached?.map((mean, g) => (isMissed(mean, ideal.wanted[g]!) ? mean : ideal.wanted[g]!));
    const { rows, noise } = await roundRows({ head, text, products, tokens, groupOf, edits, aims, signal });
    return {
      method,
      warnings: noise > noticeable ? [roundingWarning(storedType(head.weight), noise)] : [],
      rows: inOrderOfIds(tokens.ids, rows, head.hiddenSize),
      groups: solvedGroups(groups, problem, rows, await judgeRows(problem, rows), reached, (g) => ({
        method,
        lambda: method === "nearest" || method === "constant" ? lambdaOf(options, g) : undefined,
      })),
    };
  } finally {
    await Promise.all([products.release(), release()]);
  }
}

/** The nearest edits, in contexts of a guard too where one of them needs it. @returns [m, d] */
async function guardedEdits(
  subject: Subject,
  problem: Problem,
  gram: Gram,
  options: SolveOptions,
): Promise<Float64Array> {
  const { guardOf, alsoRight, found, onRows, signal } = options;
  const { head } = subject;
  const { text, products } = problem.lines;
  const { before, wanted } = problem.ideal;
  const needsGuard = wanted.some((target, g) => isGuardedScale(target / before[g]!));
  const guard = needsGuard ? await guardOf?.() : undefined;
  const guarded = guard ? await withGuard(subject, problem, products, guard, options) : problem;
  const posed = alsoRight ? await withGuard(subject, guarded, products, alsoRight.contexts, options) : guarded;
  const counts = { text: text.count, guard: guard?.count ?? 0 };
  const hiddenSize = head.hiddenSize;
  const tools = { text: posed.lines.text, products, gram, transform: head.transform, hiddenSize, signal };
  const weights = alsoRight?.weights;
  return nearestEdits(posed, tools, { lambdaOf: (g) => lambdaOf(options, g), counts, weights, found }, onRows);
}

/** One direction, as long as each group's target asks for. @returns [m, d] */
async function editsAlong(
  method: Exclude<Method, "nearest">,
  text: FittingText,
  gram: Gram,
  { tokens, groupOf, ideal: { before, wanted, biases } }: Problem,
  d: number,
  options: SolveOptions,
): Promise<Float64Array> {
  const { vector, perLogarithm } = await directionOf(method, text, d, gram, lambdaOf(options, 0), options);
  const edits = new Float64Array(tokens.size * d);
  for (const [j, g] of groupOf.entries()) {
    const factor = perLogarithm ? Math.log(wanted[g]! / before[g]!) : biases[g]!;
    edits.set(
      vector.map((value) => value * factor),
      j * d,
    );
  }
  return edits;
}

/** The edits at lengths by which the targets hold on the text, and the mean probabilities that they then reach. */
async function calibrated(
  { tokens, groupOf, lines, ideal: { wanted } }: Problem,
  edits: Float64Array,
  signal: AbortSignal | undefined,
): Promise<{ edits: Float64Array; reached: Float64Array }> {
  const d = edits.length / tokens.size;
  const along = productValues(lines.text, lines.products, edits, new Float64Array(tokens.size));
  const start = new Float64Array(lines.groups).fill(1);
  const { lengths, mean } = await solveLengths({ ...lines, along }, wanted, start, signal);
  const scaled = edits.slice();
  for (const [j, g] of groupOf.entries()) {
    for (let i = j * d; i < (j + 1) * d; i++) scaled[i]! *= lengths[g]!;
  }
  return { edits: scaled, reached: mean };
}

/** @param reached by the edits before they were rounded, where they were calibrated */
export function solvedGroups(
  groups: readonly TokenGroup[],
  { tokens, groupOf, ideal: { before, wanted, biases } }: Problem,
  rows: Float64Array,
  { after, klToIdeal, klOfIdeal }: Outcome,
  reached: Float64Array | undefined,
  foundBy: (g: number) => Pick<SolvedGroup, "method" | "lambda">,
): SolvedGroup[] {
  const d = rows.length / tokens.size;
  const norms = groupOf.map((_, j) => {
    const own = rows.subarray(j * d, (j + 1) * d);
    return norm(own.map((value, i) => value - tokens.rows[j * d + i]!));
  });
  return groups.map((group, g) => ({
    ...group,
    ...foundBy(g),
    probability: { before: before[g]!, wanted: wanted[g]!, after: after[g]! },
    idealBias: biases[g]!,
    klToIdeal: klToIdeal[g]!,
    klOfIdeal: klOfIdeal[g]!,
    norms: norms.filter((_, j) => groupOf[j] === g),
    ...(reached && {
      rounding: Math.log(after[g]! / reached[g]!),
      shortfall: shortfallOf(after[g]!, wanted[g]!, reached[g]!),
    }),
  }));
}

function lambdaOf({ lambda = defaultLambda }: SolveOptions, group: number): number {
  return typeof lambda === "number" ? lambda : lambda[group]!;
}

/** Whether a mean probability is not what it was to be. */
function isMissed(mean: number, target: number, by = missed): boolean {
  return !(Math.abs(Math.log(mean / target)) <= by);
}

function roundingWarning(dtype: string, noise: number): string {
  return `rounded to ${dtype}, the edited rows give logits that are off by ${noise.toPrecision(2)} (root mean square)`;
}

/** Why a target was missed: no length along the edit reaches it, or no number of E's type does; undefined where it was not. */
function shortfallOf(after: number, target: number, calibrated: number): string | undefined {
  if (!isMissed(after, target, tolerance)) return undefined;
  const numbers = `mean probability ${after.toPrecision(6)} instead of ${target.toPrecision(6)}`;
  return isMissed(calibrated, target)
    ? `${numbers}: no length of the edit comes nearer, since it moves the logit by different amounts in different contexts`
    : `${numbers}: of the rows that the weights' number type has, none was found that comes nearer`;
}

function inOrderOfIds(ids: readonly number[], rows: Float64Array, d: number): Solution["rows"] {
  const order = ids.map((_, j) => j).sort((a, b) => ids[a]! - ids[b]!);
  const values = new Float64Array(rows.length);
  for (const [at, j] of order.entries()) values.set(rows.subarray(j * d, (j + 1) * d), at * d);
  return { ids: Int32Array.from(order, (j) => ids[j]!), values };
}
