import { gramSession } from "../../engine/gram-session.js";
import { createProducts, type Products } from "../../engine/products.js";
import { norm } from "../../linalg/dot.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { transform } from "../../model/head/head-transform.js";
import { defaultLambda, type Method } from "../plan/method.js";
import type { TokenGroup } from "../plan/targets.js";
import { checkGroups, wantedProbabilities } from "../plan/targets.js";
import { type Directions, directionOf } from "./direction.js";
import { type EditedTokens, editedTokens, joinedTokens, productValues } from "./edited-tokens.js";
import { type FittingText, fittingText, joinedTexts, type Subject, type Watched } from "./fitting-text.js";
import { guardWeight, isGuardedScale } from "./guard-contexts.js";
import { idealShares } from "./ideal.js";
import { groupMeans, type Lines, solveLengths } from "./joint-scales.js";
import { nearestRows, type RowTools } from "./nearest-rows.js";
import { roundRows } from "./round-rows.js";
import { divergence, groupSums, toShares } from "./shares.js";
import type { Solution, SolvedGroup } from "./solution.js";

export type { Subject } from "./fitting-text.js";

export interface SolveOptions extends Directions, Watched {
  readonly method?: Method | undefined;
  /** How much the size of the edit counts against its faithfulness. */
  readonly lambda?: number | undefined;
  /** Solve the lengths so that the targets hold on the fitting text. */
  readonly calibrate?: boolean | undefined;
  /** Contexts unlike the text's in which `nearest` is to stay near the ideal too (guardContexts), asked for if an edit needs them. Default: none. */
  readonly guardOf?: (() => Promise<StoredContexts | undefined>) | undefined;
  /** Told how many rows are found, of how many. */
  readonly onRows?: ((found: number, of: number) => void) | undefined;
}

/** Relative error of a mean probability beyond which a target counts as missed. */
const missed = 1e-6;
/** Difference of a logit that changes a probability by 2%. */
const noticeable = 0.02;
/** Bytes of what is held for rows that are solved side by side. */
const rowBytes = 256 * 2 ** 20;
/** Of rows that are solved at a time: the engine multiplies for one while the other's exponentials are taken. */
const batches = 2;

/**
 * Rows of E that give each group its target on a text (METHOD.md section 3).
 * @throws RangeError if the groups contradict one another, a target cannot be a probability, or a token never occurs
 */
export async function solveEdits(
  subject: Subject,
  groups: readonly TokenGroup[],
  options: SolveOptions = {},
): Promise<Solution> {
  const { head, engine } = subject;
  const { method = "nearest", lambda = defaultLambda, calibrate = true, signal } = options;
  checkGroups(groups, head.vocabSize);
  const d = head.hiddenSize;
  const text = await fittingText(subject, options);
  const products = await createProducts(engine, d);
  const { gram, release } = await gramSession(engine);
  try {
    const problem = await posed(subject, text, products, groups, options);
    const { tokens, groupOf, lines, ideal } = problem;
    const { before, wanted } = ideal;
    const warnings: string[] = [];
    let edits: Float64Array;
    if (method === "nearest") {
      const needsGuard = wanted.some((target, g) => isGuardedScale(target / before[g]!));
      const guard = needsGuard ? await options.guardOf?.() : undefined;
      const guarded = guard && (await guardedText(subject, problem, products, guard, options));
      const tools = { text: guarded?.text ?? text, products, gram, transform: head.transform, hiddenSize: d, signal };
      edits = await nearestEdits({ ...problem, ...guarded }, tools, { lambda, textCount: text.count }, options.onRows);
    } else {
      const direction = await directionOf(method, text, d, gram, lambda, options);
      edits = new Float64Array(tokens.size * d);
      for (const [j, g] of groupOf.entries()) {
        const factor = direction.perLogarithm ? Math.log(wanted[g]! / before[g]!) : ideal.biases[g]!;
        edits.set(
          direction.vector.map((value) => value * factor),
          j * d,
        );
      }
    }
    let reached: Float64Array | undefined;
    if (calibrate) {
      const along = productValues(text, products, edits, new Float64Array(tokens.size));
      const start = new Float64Array(groups.length).fill(1);
      const solved = await solveLengths({ ...lines, along }, wanted, start, signal);
      reached = solved.mean;
      for (const [j, g] of groupOf.entries()) {
        for (let i = j * d; i < (j + 1) * d; i++) edits[i]! *= solved.lengths[g]!;
      }
    }
    const aims = reached?.map((mean, g) => (Math.abs(Math.log(mean / wanted[g]!)) <= missed ? wanted[g]! : mean));
    const { rows, noise } = await roundRows({ head, text, products, tokens, groupOf, edits, aims, signal });
    if (noise > noticeable) {
      warnings.push(
        `rounded to ${head.weight.dtype}, the edited rows give logits that are off by ${noise.toPrecision(2)} (root mean square)`,
      );
    }
    const outcome = await judged(problem, text, products, rows);
    return {
      method,
      warnings,
      rows: inOrderOfIds(tokens.ids, rows, d),
      groups: groups.map((group, g): SolvedGroup => {
        const after = outcome.after[g]!;
        const target = wanted[g]!;
        const norms = groupOf.flatMap((of, j) => {
          if (of !== g) return [];
          const own = rows.subarray(j * d, (j + 1) * d);
          return [norm(own.map((value, i) => value - tokens.rows[j * d + i]!))];
        });
        return {
          ...group,
          probability: { before: before[g]!, wanted: target, after },
          idealBias: ideal.biases[g]!,
          klToIdeal: outcome.klToIdeal[g]!,
          klOfIdeal: outcome.klOfIdeal[g]!,
          norms,
          shortfall:
            calibrate && !(Math.abs(Math.log(after / target)) <= missed)
              ? shortfallOf(after, target, reached![g]!)
              : undefined,
        };
      }),
    };
  } finally {
    await Promise.all([products.release(), release()]);
  }
}

/** Why a target was missed: no length along the edit reaches it, or no number of E's type does. */
function shortfallOf(after: number, target: number, calibrated: number): string {
  const numbers = `mean probability ${after.toPrecision(6)} instead of ${target.toPrecision(6)}`;
  return Math.abs(Math.log(calibrated / target)) > missed
    ? `${numbers}: no length of the edit comes nearer, since it moves the logit by different amounts in different contexts`
    : `${numbers}: of the rows that the weights' number type has, none was found that comes nearer`;
}

interface Problem {
  readonly tokens: EditedTokens;
  readonly groupOf: readonly number[];
  readonly lines: Lines;
  readonly ideal: Ideal;
}

interface Ideal {
  /** Mean probability of each group as it is and as wanted, [G]. */
  readonly before: readonly number[];
  readonly wanted: readonly number[];
  /** The true logit bias of each group that reaches all targets at once, [G]. */
  readonly biases: Float64Array;
}

async function posed(
  subject: Subject,
  text: FittingText,
  products: Products,
  groups: readonly TokenGroup[],
  watched: Watched,
): Promise<Problem> {
  const ids = groups.flatMap(({ tokens }) => tokens);
  const groupOf = groups.flatMap(({ tokens }, g) => tokens.map(() => g));
  const tokens = await editedTokens(subject, text, products, ids, watched);
  const lines: Lines = {
    ...{ text, products, groupOf, groups: groups.length },
    ...{ transform: subject.head.transform, rest: tokens.rest, raw: tokens.raw },
  };
  const before = Array.from(await groupMeans(lines, new Float64Array(groups.length)));
  const never = before.findIndex((mean) => !(mean > 0));
  if (never >= 0) {
    throw new RangeError(
      `token ids ${groups[never]!.tokens.join(", ")} have probability 0 in every context of the text: no factor changes that`,
    );
  }
  const wanted = wantedProbabilities(groups, before);
  const start = Float64Array.from(groups, (_, g) => Math.log(wanted[g]! / before[g]!));
  const { lengths: biases } = await solveLengths(lines, wanted, start, watched.signal);
  return { tokens, groupOf, lines, ideal: { before, wanted, biases } };
}

/** The problem on the text and, behind it, its guard. The ideal stays that of the text. */
async function guardedText(
  { head, engine }: Subject,
  { tokens, lines }: Problem,
  products: Products,
  contexts: StoredContexts,
  { signal }: Watched,
) {
  const subject = { head, engine, contexts };
  const guard = await fittingText(subject, { signal });
  const inGuard = await editedTokens(subject, guard, products, tokens.ids, { signal });
  const text = joinedTexts(lines.text, guard);
  return { text, lines: { ...lines, text, ...joinedTokens(lines, inGuard) } };
}

/** @param textCount contexts of the text; what follows is the guard  @returns [m, d] */
async function nearestEdits(
  { tokens, groupOf, lines, ideal: { before, wanted, biases } }: Problem,
  tools: RowTools,
  { lambda, textCount }: { lambda: number; textCount: number },
  onRows: SolveOptions["onRows"],
): Promise<Float64Array> {
  const { text, products, hiddenSize: d } = tools;
  const N = text.count;
  const m = tokens.size;
  const shares = await idealShares(lines, biases, textCount);
  const textWeights = new Float64Array(N).fill(1 / textCount, 0, textCount);
  const guardedWeights = textWeights.slice().fill(N > textCount ? guardWeight(textCount, N - textCount) : 0, textCount);
  const edits = new Float64Array(m * d);
  const sideBySide = Math.max(1, Math.floor(rowBytes / (8 * (6 * N + d * d) * batches)));
  let next = 0;
  let found = 0;
  const work = async () => {
    while (next < m) {
      const first = next;
      const c = Math.min(sideBySide, m - first);
      next += c;
      await solve(first, c);
      found += c;
      onRows?.(found, m);
    }
  };
  onRows?.(0, m);
  await Promise.all(Array.from({ length: batches }, work));
  return edits;

  async function solve(first: number, c: number): Promise<void> {
    const raw = new Float64Array(c * N);
    const values = productValues(
      text,
      products,
      tokens.rows.subarray(first * d, (first + c) * d),
      tokens.bias.subarray(first, first + c),
    );
    await text.eachBlock(c, async (block, start, end) => {
      const part = await values.of(block, start);
      const n = end - start;
      for (let j = 0; j < c; j++) raw.set(part.subarray(j * n, (j + 1) * n), j * N + start);
    });
    const bias = Float64Array.from({ length: c }, (_, j) => biases[groupOf[first + j]!]!);
    const { q, others } = shares.of(raw, first, bias, tools.transform);
    const penalty = Float64Array.from({ length: c }, (_, j) => {
      const g = groupOf[first + j]!;
      return lambda * Math.max(wanted[g]! / before[g]!, 1) * shares.before[first + j]!;
    });
    const weights = Array.from({ length: c }, (_, j) => {
      const g = groupOf[first + j]!;
      return isGuardedScale(wanted[g]! / before[g]!) ? guardedWeights : textWeights;
    });
    edits.set(await nearestRows({ size: c, raw, others, q, bias, penalty, weights }, tools), first * d);
  }
}

/** What the rows as rounded do on the text: each group's mean probability, and its divergences from and to the ideal. */
async function judged(
  { tokens, groupOf, lines, ideal: { biases } }: Problem,
  text: FittingText,
  products: Products,
  rows: Float64Array,
) {
  const groups = lines.groups;
  const [after, klToIdeal, klOfIdeal] = [0, 1, 2].map(() => new Float64Array(groups)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const edited = productValues(text, products, rows, tokens.bias);
  await text.eachBlock(tokens.size, async (block, start, end) => {
    const n = end - start;
    const rest = tokens.rest.subarray(start, end);
    const before = await tokens.raw.of(block, start);
    const sharesOf = (values: Float64Array, biased: boolean) => {
      const z = values.map((value, i) => {
        const shifted = transform(lines.transform, value).value;
        return biased ? shifted + biases[groupOf[Math.floor(i / n)]!]! : shifted;
      });
      return groupSums(toShares(z, rest), groupOf, groups);
    };
    const original = sharesOf(before, false);
    const ideal = sharesOf(before, true);
    const actual = sharesOf(await edited.of(block, start), false);
    for (let g = 0; g < groups; g++) {
      for (let i = g * n; i < (g + 1) * n; i++) {
        after[g]! += actual[i]! / text.count;
        klToIdeal[g]! += divergence(ideal[i]!, actual[i]!) / text.count;
        klOfIdeal[g]! += divergence(original[i]!, ideal[i]!) / text.count;
      }
    }
  });
  return { after, klToIdeal, klOfIdeal };
}

function inOrderOfIds(ids: readonly number[], rows: Float64Array, d: number): Solution["rows"] {
  const order = ids.map((_, j) => j).sort((a, b) => ids[a]! - ids[b]!);
  const values = new Float64Array(rows.length);
  for (const [at, j] of order.entries()) values.set(rows.subarray(j * d, (j + 1) * d), at * d);
  return { ids: Int32Array.from(order, (j) => ids[j]!), values };
}
