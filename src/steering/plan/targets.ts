/** What a token's mean probability over the fitting text, or that of a set of tokens together, is to become. */
export type Target =
  /** r alpha_w. */
  | { readonly scale: number }
  /** alpha_w with this added to its log-odds. */
  | { readonly logOdds: number }
  /** This mean probability itself. */
  | { readonly probability: number }
  /** Never to be likely, in any context; of the mean at most this share of alpha_w, or whatever is left where it is true. */
  | { readonly ban: true | number };

/** What a ban leaves of a token's mean probability where a method without a bound carries it out and no share is given. */
const banScale = 1e-6;

/** |ln(reached / wanted)| within which a mean probability is what it was to be: a tenth of a percent. */
export const tolerance = 1e-3;

export const isBan = (target: Target): target is Extract<Target, { ban: unknown }> => "ban" in target;

/** Tokens that share one target: one token, or a set whose probabilities are added. */
export interface TokenGroup {
  readonly tokens: readonly number[];
  readonly target: Target;
}

/** @throws RangeError if an id is outside the vocabulary or in two groups, or a target is not one */
export function checkGroups(groups: readonly TokenGroup[], vocabSize: number): void {
  const seen = new Set<number>();
  if (groups.length === 0) throw new RangeError("there is nothing to edit");
  for (const { tokens, target } of groups) {
    if (tokens.length === 0) throw new RangeError("a group has no tokens");
    for (const id of tokens) {
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
        throw new RangeError(`token id ${id} is outside the vocabulary of ${vocabSize}`);
      }
      if (seen.has(id)) throw new RangeError(`token id ${id} is edited twice`);
      seen.add(id);
    }
    if ("scale" in target && !(target.scale > 0 && target.scale < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`scale ${target.scale} is not a number above 0`);
    }
    if (isBan(target) && target.ban !== true && !(target.ban > 0 && target.ban < 1)) {
      throw new RangeError(`a ban by a factor of ${target.ban} is none below 1`);
    }
    if ("logOdds" in target && !Number.isFinite(target.logOdds)) {
      throw new RangeError(`log-odds ${target.logOdds} is not a finite number`);
    }
    if ("probability" in target && !(target.probability > 0 && target.probability < 1)) {
      throw new RangeError(`probability ${target.probability} is not between 0 and 1`);
    }
  }
}

/** Mean probabilities below this are nothing to the float32 of whoever runs the model, and soon to float64. */
const leastWanted = 1e-38;

/**
 * Mean probability that each group is to have.
 * @param before as it is, [groups]  @throws RangeError if one of them is next to 0, or one or all together reach 1
 */
export function wantedProbabilities(groups: readonly TokenGroup[], before: readonly number[]): number[] {
  const wanted = groups.map(({ target }, g) => {
    const alpha = before[g]!;
    if ("probability" in target) return target.probability;
    if ("scale" in target) return target.scale * alpha;
    if (isBan(target)) return (target.ban === true ? banScale : target.ban) * alpha;
    return 1 / (1 + ((1 - alpha) / alpha) * Math.exp(-target.logOdds));
  });
  const total = wanted.reduce((sum, value) => sum + value, 0);
  if (!(total < 1)) {
    throw new RangeError(
      `the wanted mean probabilities add up to ${Number(total.toPrecision(6))}; they must stay below 1`,
    );
  }
  const least = wanted.findIndex((value) => value < leastWanted);
  if (least >= 0) {
    throw new RangeError(
      `token ids ${groups[least]!.tokens.slice(0, 5).join(", ")} would get a mean probability of ${wanted[least]!.toPrecision(3)}; ${leastWanted} is the least`,
    );
  }
  return wanted;
}
