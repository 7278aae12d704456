/** What is known of the texts that begin with some tokens. */
export interface Prefix {
  /** Share of them, by their probability, that holds no error found so far. */
  survival: number;
  /** Errors that one more token completes, as they were drawn. */
  errors: number;
  /** By the next token, where an error was found behind it. */
  readonly next: Map<number, Prefix>;
}

export function newPrefix(): Prefix {
  return { survival: 1, errors: 0, next: new Map() };
}

/** The prefix that one more token makes, made where it is not known yet. */
export function prefixAfter(prefix: Prefix, id: number): Prefix {
  let next = prefix.next.get(id);
  if (next === undefined) {
    next = newPrefix();
    prefix.next.set(id, next);
  }
  return next;
}

/**
 * The distribution of the next token without the errors found so far, up to a factor: each token's probability times the
 * share of what begins with it that is left.
 * @param p float64 [V]
 */
export function survivingWeights(p: Float64Array, { next }: Prefix): Float64Array {
  if (next.size === 0) return p;
  const weights = p.slice();
  for (const [id, { survival }] of next) weights[id]! *= survival;
  return weights;
}
