import * as z from "zod";
import { InputError } from "../../errors.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { boundBlocks, type PreviewBound, type ReducedHead } from "../../model/head/reduced-head.js";
import { headOf } from "../methods/head-of-expansion.js";
import { type Compensation, compensations, type Metric, metrics, orders } from "../methods/orders.js";
import { prepareReductions, type Reductions } from "../methods/prepare.js";
import { withBound } from "../methods/preview-bound.js";
import { defaultSteps, type RefineOptions, refine } from "../methods/refine.js";

export const planSchema = z.strictObject({
  schema: z.literal("unembed-reduction-plan"),
  schemaVersion: z.literal(1),
  /** V and d of the head. */
  vocabSize: z.number().int().positive(),
  hiddenSize: z.number().int().positive(),
  order: z.enum(orders),
  compensate: z.enum(compensations),
  /** Of `rotation`. */
  metric: z.enum(metrics).optional(),
  seed: z.number().int(),
  /** Of `refine`: steps asked for, and the one whose head was the best on contexts held out of the fit. */
  steps: z.number().int().positive().optional(),
  bestStep: z.number().int().nonnegative().optional(),
  /** Contexts fitted on. */
  contexts: z.number().int().positive(),
  kept: z.number().int().positive(),
  deleted: z.number().int().nonnegative(),
  /** m: the likeliest tokens of each context get their exact logits. */
  rescore: z.number().int().positive().optional(),
  /** Whether the preview has a bound, so that the likeliest token is always the head's own. */
  greedyExact: z.literal(true).optional(),
  /** Kept coordinates, ascending; none of directions. */
  coordinates: z.array(z.number().int().nonnegative()).optional(),
  warnings: z.array(z.string()),
});

/** The part of a plan that stands in reduction.json. */
export type ReductionRecord = z.infer<typeof planSchema>;

/** What is deleted and what makes up for it: a plain object. The arrays that go with it lie in a safetensors file. */
export type ReductionPlan = ReductionRecord & {
  /** float32: `factor` F [V, k], `bias` b' [V], and of directions `projection` P [k, d]. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
};

/** How much is deleted, in what order, and what makes up for it. */
export interface ReductionChoice {
  /** k. */
  readonly kept: number;
  /** Default rotation. */
  readonly order?: ReductionPlan["order"] | undefined;
  /**
   * m: the likeliest tokens by what is kept get their exact logits from their rows of E, which come on top of it. Default: none.
   */
  readonly rescore?: number | undefined;
  /**
   * With `rescore`, of a rotation that is not refined: the likeliest token is always the head's own, by a bound on what the
   * preview can be off by, and by all of E where more than m tokens could be the likeliest.
   */
  readonly greedyExact?: boolean | undefined;
  /** Default least-squares, or with `rescore` refine; a rotation makes up for what it deletes by itself. */
  readonly compensate?: ReductionPlan["compensate"] | undefined;
  readonly metric?: ReductionPlan["metric"] | undefined;
  readonly seed?: number | undefined;
  readonly refine?: Omit<RefineOptions, "seed" | "signal"> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of every context that a rotation or a refinement is fitted on. */
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/** k for a share of the d dimensions that is deleted, in [0, 1). @throws InputError naming the option */
export function keptFor({ fraction, keep }: { fraction?: number; keep?: number }, d: number): number {
  if (fraction !== undefined) {
    if (!(fraction >= 0 && fraction < 1)) throw new InputError("fraction", `${fraction} is not from 0 to below 1`);
    return Math.max(1, d - Math.round(fraction * d));
  }
  if (keep === undefined)
    throw new InputError("fraction", "is missing: a share to delete, or a number of dimensions to keep, is wanted");
  if (!(Number.isInteger(keep) && keep >= 1 && keep <= d)) {
    throw new InputError("keep", `${keep} is not a whole number from 1 to the model's ${d} dimensions`);
  }
  return keep;
}

/** What counts as a loss, where nothing was said: a bound is on logits, whatever their tokens' probabilities are. */
export function usualMetric(greedyExact: boolean | undefined): Metric {
  return greedyExact ? "logits" : "fisher";
}

/** @throws InputError naming the option if the preview of this choice has no bound */
export function checkGreedyExact(
  { greedyExact, rescore, order = "rotation", compensate }: Omit<ReductionChoice, "kept">,
  vocabSize: number,
): void {
  if (!greedyExact) return;
  const refuse = (problem: string) => new InputError("greedyExact", problem);
  if (rescore === undefined) throw refuse("is for heads that rescore likely tokens");
  if (rescore === vocabSize) throw refuse(`needs a token that is not rescored: fewer than all ${vocabSize}`);
  if (order !== "rotation") throw refuse(`is for the order rotation, not ${order}`);
  if (compensate === "refine") throw refuse("is for the projection itself: a refined preview has no useful bound");
}

/** @throws InputError naming the option if m is not a number of the model's tokens */
export function checkRescore(rescore: number | undefined, vocabSize: number): void {
  if (rescore === undefined || (Number.isInteger(rescore) && rescore >= 1 && rescore <= vocabSize)) return;
  throw new InputError("rescore", `${rescore} is not a whole number from 1 to the model's ${vocabSize} tokens`);
}

/** What makes up for what is deleted, where nothing was said: a preview is fitted for its use. */
export function usualCompensation(rescore: number | undefined, greedyExact: boolean | undefined = false): Compensation {
  return rescore === undefined || greedyExact ? "least-squares" : "refine";
}

/**
 * Chooses what a head can do without, on a text (METHOD.md section 4).
 * @param contexts the text's hidden states (storeContexts)
 * @param prepared what was measured of the same text before
 * @throws InputError if numbers are not finite  @throws RangeError if k is not from 1 to d
 */
export async function planReduction(
  model: HeadModel,
  contexts: StoredContexts,
  choice: ReductionChoice,
  prepared?: Reductions | undefined,
): Promise<ReductionPlan> {
  const { kept, rescore, greedyExact, order = "rotation", seed = 0, signal } = choice;
  const { metric = usualMetric(greedyExact), compensate = usualCompensation(rescore, greedyExact) } = choice;
  checkRescore(rescore, model.vocabSize);
  checkGreedyExact({ ...choice, compensate }, model.vocabSize);
  const reductions =
    prepared ??
    (await prepareReductions(model, contexts, {
      orders: [order],
      metric,
      seed,
      signal,
      onProgress: choice.onProgress,
    }));
  const subject = { head: model.head, engine: model.engine, contexts };
  const expansion = reductions.expansion(order, compensate, kept);
  let head: ReducedHead = { ...(await headOf(subject, expansion)), rescore };
  let refined: { steps: number; bestStep: number } | undefined;
  if (compensate === "refine") {
    const steps = choice.refine?.steps ?? defaultSteps;
    const result = await refine(subject, reductions.whitening, head, { ...choice.refine, steps, seed, signal });
    head = result.head;
    refined = { steps, bestStep: result.bestStep };
  }
  const bound = greedyExact ? (await withBound(subject, head, reductions)).bound : undefined;
  const { factor, bias, projection, coordinates } = head;
  const d = model.hiddenSize;
  return {
    schema: "unembed-reduction-plan",
    schemaVersion: 1,
    ...{ vocabSize: model.vocabSize, hiddenSize: d, order, compensate },
    ...(order === "rotation" ? { metric } : {}),
    seed,
    ...refined,
    contexts: contexts.count,
    // Directions in which the hidden states do not move are not worth a place.
    kept: head.kept,
    deleted: d - head.kept,
    ...(rescore === undefined ? {} : { rescore }),
    ...(bound ? { greedyExact: true as const } : {}),
    ...(coordinates ? { coordinates: Array.from(coordinates) } : {}),
    warnings: [
      ...reductions.warnings,
      ...(head.kept < kept
        ? [`${head.kept} directions are kept instead of ${kept}: the hidden states move in no more`]
        : []),
    ],
    arrays: { factor, bias, ...(projection ? { projection } : {}), ...bound },
  };
}

/**
 * The reduced head that a plan stands for.
 * @throws InputError naming the plan's field that does not fit the model
 */
export function reduceHead(model: HeadModel, plan: ReductionPlan, place = "plan"): ReducedHead {
  const { vocabSize: V, hiddenSize: d, kept, rescore, coordinates, order, arrays } = plan;
  const refuse = (field: string, problem: string): never => {
    throw new InputError(place, `field ${field}: ${problem}`);
  };
  if (V !== model.vocabSize || d !== model.hiddenSize) {
    refuse(
      "vocabSize",
      `the plan is for a head of ${V} x ${d}; ${model.name} has ${model.vocabSize} x ${model.hiddenSize}`,
    );
  }
  if (kept > d) refuse("kept", `${kept} of ${d} dimensions`);
  if (rescore !== undefined && rescore > V) refuse("rescore", `${rescore} of ${V} tokens`);
  if (plan.deleted !== d - kept) refuse("deleted", `is ${plan.deleted} where ${kept} of ${d} are kept`);
  if ((order === "rotation") === (coordinates !== undefined)) {
    refuse("coordinates", `${coordinates ? "are given" : "are missing"}, and the order is ${order}`);
  }
  const { factor, bias, projection } = arrays;
  const sized = (name: string, values: Float32Array | undefined, length: number): Float32Array => {
    if (values?.length !== length) refuse(name, `${values?.length ?? 0} numbers instead of ${length}`);
    if (!values!.every(Number.isFinite)) refuse(name, "holds numbers that are not finite");
    return values!;
  };
  if (coordinates) {
    const rising = coordinates.every((i, at) => i < d && (at === 0 || i > coordinates[at - 1]!));
    if (coordinates.length !== kept || !rising) refuse("coordinates", `are not ${kept} rising numbers below ${d}`);
  }
  return {
    kept,
    coordinates: coordinates && Int32Array.from(coordinates),
    projection: coordinates ? undefined : sized("projection", projection, kept * d),
    factor: sized("factor", factor, V * kept),
    bias: sized("bias", bias, V),
    ...(rescore === undefined ? {} : { rescore }),
    ...(plan.greedyExact ? { bound: boundOf() } : {}),
  };

  function boundOf(): PreviewBound {
    if (rescore === undefined || rescore === V || coordinates || kept === d) {
      refuse("greedyExact", "is for directions that were deleted, and for some of the tokens");
    }
    return {
      reader: sized("reader", arrays.reader, (d - kept) * d),
      centre: sized("centre", arrays.centre, d - kept),
      reach: sized("reach", arrays.reach, V * boundBlocks),
      slack: sized("slack", arrays.slack, 2),
    };
  }
}
