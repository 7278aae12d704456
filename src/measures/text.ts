/**
 * Different n-grams divided by all n-grams (distinct-n: Li et al. 2016, arXiv 1510.03055), over all texts together;
 * n-grams do not cross from one text into the next. NaN if no text has n tokens.
 * @param texts token ids of each
 */
export function distinct(texts: readonly ArrayLike<number>[], n: number): number {
  let total = 0;
  const seen = new Set<string>();
  for (const text of texts) {
    for (const ngram of ngrams(text, n)) {
      seen.add(ngram);
      total++;
    }
  }
  return seen.size / total;
}

/**
 * Share of a text's n-grams that have occurred before in the same text, 1 - different / all (rep-n: Welleck et al. 2019,
 * arXiv 1908.04319, "seq-rep-n"), averaged over the texts that have n tokens; NaN if none has.
 * @param texts token ids of each
 */
export function repetition(texts: readonly ArrayLike<number>[], n: number): number {
  const shares = texts.filter((text) => text.length >= n).map((text) => 1 - distinct([text], n));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** exp(-mean ln p) of the tokens that occurred. NaN if there are none. @param logProbabilities natural logarithms */
export function perplexity(logProbabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < logProbabilities.length; i++) sum += logProbabilities[i]!;
  return Math.exp(-sum / logProbabilities.length);
}

function* ngrams(text: ArrayLike<number>, n: number): Generator<string> {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`n-grams of ${n} tokens do not exist`);
  for (let i = 0; i + n <= text.length; i++) {
    yield Array.from({ length: n }, (_, offset) => text[i + offset]!).join();
  }
}
