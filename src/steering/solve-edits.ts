import type { Engine } from "../engine/engine.js";
import { gramSession } from "../engine/gram-session.js";
import { norm } from "../linalg/dot.js";
import type { Head } from "../model/head.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { type Directions, directionOf } from "./direction.js";
import { type EditedLogits, editedLogits, transform } from "./edited-logits.js";
import { type Lines, solveLengths } from "./joint-scales.js";
import { alongContexts, nearestRow } from "./nearest-row.js";
import { roundRows } from "./round-rows.js";
import { sharesOf } from "./shares.js";
import type { Method, Solution, SolvedGroup, TokenGroup } from "./solution.js";
import { checkGroups, wantedProbabilities } from "./targets.js";

export interface Subject {
  readonly head: Head;
  readonly engine: Engine;
  readonly contexts: StoredContexts;
}

export interface SolveOptions extends Directions {
  readonly method?: Method | undefined;
  /** lambda: how much the size of the edit counts against its faithfulness. */
  readonly size?: number | undefined;
  /** Solve the lengths so that the targets hold on the fitting text. */
  readonly calibrate?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/** Relative error of a mean probability beyond which a target counts as missed. */
const missed = 1e-5;
/** Rounds of one Newton solve per row, for rows that share the normaliser. */
const maxRounds = 8;

/**
 * Rows of E that give each group its target on a text (METHOD.md section 3).
 * @throws RangeError if the groups contradict one another or a target cannot be a probability
 */
export async function solveEdits(
  subject: Subject,
  groups: readonly TokenGroup[],
  options: SolveOptions = {},
): Promise<Solution> {
  const { head, contexts, engine } = subject;
  const { method = "nearest", size = 1e-4, calibrate = true, signal } = options;
  checkGroups(groups, head.vocabSize);
  const d = head.hiddenSize;
  const ids = groups.flatMap(({ tokens }) => tokens);
  const groupOf = groups.flatMap(({ tokens }, g) => tokens.map(() => g));
  const logits = await editedLogits(subject, ids, options);
  const before = sharesAt(logits, head, contexts.count);
  const ideal = idealLengths(logits, head, groups, groupOf, contexts.count);
  const { wanted } = ideal;
  const warnings: string[] = [];
  const { gram, release } = await gramSession(engine);
  let edits: Float64Array[];
  try {
    if (method === "nearest") {
      edits = await nearestEdits();
    } else {
      const direction = await directionOf(method, contexts, gram, size, options);
      if (direction.warning) warnings.push(direction.warning(head.weight.dtype));
      edits = groupOf.map((g) => {
        const factor = direction.perLogarithm ? Math.log(wanted[g]! / ideal.before[g]!) : ideal.lengths[g]!;
        return direction.vector.map((value) => value * factor);
      });
    }
  } finally {
    await release();
  }
  let alongs = await Promise.all(edits.map((x) => alongContexts(contexts, x)));
  if (calibrate) {
    const { lengths } = solveLengths(linesOf(alongs), wanted, new Float64Array(groups.length).fill(1));
    edits = edits.map((x, j) => x.map((value) => value * lengths[groupOf[j]!]!));
    alongs = alongs.map((y, j) => y.map((value) => value * lengths[groupOf[j]!]!));
  }
  const rounded = await roundRows({ head, contexts, logits, groupOf, wanted, edits, correct: calibrate });
  alongs = rounded.alongs;
  const after = sharesAt(logits, head, contexts.count, (j, t) => alongs[j]![t]!);
  const order = ids.map((_, j) => j).sort((a, b) => ids[a]! - ids[b]!);
  const values = new Float64Array(ids.length * d);
  order.forEach((j, at) => {
    values.set(rounded.rows[j]!, at * d);
  });
  return {
    method,
    warnings,
    rows: { ids: Int32Array.from(order, (j) => ids[j]!), values },
    groups: groups.map((group, g): SolvedGroup => {
      const { kl: klToIdeal, second: reached } = ideal.shares.compare(after, groupOf, g);
      const { kl: klOfIdeal } = before.compare(ideal.shares, groupOf, g);
      const error = Math.log(reached / wanted[g]!);
      const target = wanted[g]!;
      return {
        ...group,
        probability: { before: ideal.before[g]!, wanted: target, after: reached },
        idealBias: ideal.lengths[g]!,
        klToIdeal,
        klOfIdeal,
        norms: groupOf.flatMap((of, j) => (of === g ? [norm(rounded.changes[j]!)] : [])),
        shortfall:
          calibrate && !(Math.abs(error) <= missed)
            ? `mean probability ${reached} instead of ${target}: no length of the edit comes nearer`
            : undefined,
      };
    }),
  };

  async function nearestEdits(): Promise<Float64Array[]> {
    const { count } = contexts;
    const found: Float64Array[] = ids.map(() => new Float64Array(d));
    const along: Float64Array[] = ids.map(() => new Float64Array(count));
    for (let round = 0; round < (ids.length > 1 ? maxRounds : 1); round++) {
      let largestMove = 0;
      for (let j = 0; j < ids.length; j++) {
        const others = Float64Array.from({ length: count }, (_, t) => {
          const values = ids.flatMap((_, k) =>
            k === j ? [] : [transform(head.transform, logits.raw[k * count + t]! + along[k]![t]!).value],
          );
          const largest = Math.max(logits.rest[t]!, ...values);
          let sum = Math.exp(logits.rest[t]! - largest);
          for (const value of values) sum += Math.exp(value - largest);
          return largest + Math.log(sum);
        });
        const q = ideal.shares.p.subarray(j * count, (j + 1) * count);
        const { raw } = logits;
        const alpha = before.mean[j]!;
        const ratio = Math.max(wanted[groupOf[j]!]! / ideal.before[groupOf[j]!]!, 1);
        const solved = await nearestRow(
          {
            contexts,
            gram,
            headTransform: head.transform,
            raw: raw.subarray(j * count, (j + 1) * count),
            others,
            q,
            penalty: size * ratio * alpha,
          },
          found[j]!,
          signal,
        );
        const change = solved.x.map((value, i) => value - found[j]![i]!);
        largestMove = Math.max(largestMove, norm(change) / Math.max(norm(solved.x), Number.MIN_VALUE));
        found[j] = solved.x;
        along[j] = solved.along;
      }
      if (largestMove < 1e-6) break;
    }
    return found;
  }

  function linesOf(directions: readonly Float64Array[]): Lines {
    const { count } = contexts;
    return {
      count,
      rest: logits.rest,
      groupOf,
      groups: groups.length,
      at: (j, t, length) => {
        const y = directions[j]![t]!;
        const { value, slope } = transform(head.transform, logits.raw[j * count + t]! + length * y);
        return { value, slope: slope * y };
      },
    };
  }
}

function sharesAt(logits: EditedLogits, head: Head, count: number, shift: (j: number, t: number) => number = () => 0) {
  return sharesOf(
    logits.rest,
    logits.raw.length / count,
    (j, t) => transform(head.transform, logits.raw[j * count + t]! + shift(j, t)).value,
  );
}

/** The true logit biases, one a group, that reach all targets at once. */
function idealLengths(
  logits: EditedLogits,
  head: Head,
  groups: readonly TokenGroup[],
  groupOf: readonly number[],
  count: number,
) {
  const z = logits.raw.map((value) => transform(head.transform, value).value);
  const lines: Lines = {
    count,
    rest: logits.rest,
    groupOf,
    groups: groups.length,
    at: (j, t, length) => ({ value: z[j * count + t]! + length, slope: 1 }),
  };
  const m = groupOf.length;
  const original = sharesOf(logits.rest, m, (j, t) => z[j * count + t]!);
  const before = groups.map((_, g) => groupOf.reduce((sum, of, j) => (of === g ? sum + original.mean[j]! : sum), 0));
  const wanted = wantedProbabilities(groups, before);
  const start = Float64Array.from(groups, (_, g) => Math.log(wanted[g]! / before[g]!));
  const { lengths } = solveLengths(lines, wanted, start);
  const shares = sharesOf(logits.rest, m, (j, t) => z[j * count + t]! + lengths[groupOf[j]!]!);
  return { lengths, before, wanted, shares };
}

/** The true logit bias of each group, all solved jointly: what an edit is compared with. @returns nats, [groups] */
export async function idealBiases(
  subject: Subject,
  groups: readonly TokenGroup[],
  options: Pick<SolveOptions, "signal" | "onProgress"> = {},
): Promise<Float64Array> {
  checkGroups(groups, subject.head.vocabSize);
  const ids = groups.flatMap(({ tokens }) => tokens);
  const groupOf = groups.flatMap(({ tokens }, g) => tokens.map(() => g));
  const logits = await editedLogits(subject, ids, options);
  return idealLengths(logits, subject.head, groups, groupOf, subject.contexts.count).lengths;
}
