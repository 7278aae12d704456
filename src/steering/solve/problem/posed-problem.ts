import type { Products } from "../../../engine/products.js";
import type { ContextRows } from "../../../model/contexts/stored-contexts.js";
import { type TokenGroup, wantedProbabilities } from "../../plan/targets.js";
import { type EditedTokens, editedTokens, joinedTokens } from "./edited-tokens.js";
import { type FittingText, fittingText, joinedTexts, type Subject, type Watched } from "./fitting-text.js";
import { groupMeans, type Lines, solveLengths } from "./joint-scales.js";

/** What is asked of which tokens on a text, in numbers. */
export interface Problem {
  readonly tokens: EditedTokens;
  /** Group of each edited token, [m]. */
  readonly groupOf: readonly number[];
  readonly lines: Lines;
  readonly ideal: Ideal;
}

export interface Ideal {
  /** Mean probability of each group as it is and as wanted, [G]. */
  readonly before: readonly number[];
  readonly wanted: readonly number[];
  /** The true logit bias of each group that reaches all targets at once, [G]. */
  readonly biases: Float64Array;
}

/** @throws RangeError if a target cannot be a probability, or a token never occurs */
export async function poseProblem(
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
export async function withGuard(
  { head, engine }: Subject,
  problem: Problem,
  products: Products,
  contexts: ContextRows,
  { signal }: Watched,
): Promise<Problem> {
  const { tokens, lines } = problem;
  const subject = { head, engine, contexts };
  const guard = await fittingText(subject, { signal });
  const inGuard = await editedTokens(subject, guard, products, tokens.ids, { signal });
  const text = joinedTexts(lines.text, guard);
  return { ...problem, lines: { ...lines, text, ...joinedTokens(lines, inGuard) } };
}
