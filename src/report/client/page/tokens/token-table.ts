/** The tokens of a page, [R] each, as its figures use them. */
export interface TokenTable {
  size: number;
  texts: string[];
  ids: Int32Array;
  /** How often the text itself has each; empty where that is not known. */
  counts: number[];
  /** -log of the true or the first probability, nats. */
  observed: Float32Array;
  /** The same of the fitted or the second. */
  fitted: Float32Array;
  /** Positions by falling probability. */
  byProbability: Uint32Array;
  /** 0 for the rarest token, 1 for the likeliest, [R]. */
  percentile: Float32Array;
}

/** @param columns of the table; what follows from them is added */
export function tokenTable(columns: Omit<TokenTable, "size" | "byProbability" | "percentile">): TokenTable {
  const { observed } = columns;
  const size = observed.length;
  const byProbability = Uint32Array.from(observed.keys()).sort((a, b) => observed[a]! - observed[b]!);
  const percentile = new Float32Array(size);
  for (const [rank, token] of byProbability.entries()) percentile[token] = 1 - rank / Math.max(1, size - 1);
  return { ...columns, size, byProbability, percentile };
}

/**
 * Positions of the tokens that a query names: "#id", or text compared without case, exact matches first, then starts,
 * then parts; likelier tokens before rarer ones.
 */
export function findTokens({ texts, ids, byProbability }: TokenTable, query: string, limit: number): number[] {
  const id = /^#(\d+)$/.exec(query.trim());
  if (id) return Array.from(ids.keys()).filter((i) => ids[i] === Number(id[1]));
  const exact = query.replaceAll("␣", " ");
  const wanted = exact.trim().toLowerCase();
  if (wanted === "") return exact === "" ? [] : [...byProbability].filter((i) => texts[i] === exact).slice(0, limit);
  const groups: number[][] = [[], [], [], []];
  for (const i of byProbability) {
    const text = texts[i]!;
    const place = text.toLowerCase().indexOf(wanted);
    if (place < 0) continue;
    const trimmed = text.trim().toLowerCase();
    const group = text === exact ? 0 : trimmed === wanted ? 1 : trimmed.startsWith(wanted) ? 2 : 3;
    groups[group]!.push(i);
  }
  return groups.flat().slice(0, limit);
}

/** Tokens worth a name on a figure before anyone asks: the likeliest and the worst missed on either side. */
export function landmarks(
  { observed, fitted, byProbability }: TokenTable,
  likeliest: number,
  missed: number,
): number[] {
  const miss = (i: number) => fitted[i]! - observed[i]!;
  const byMiss = [...byProbability].filter((i) => Number.isFinite(miss(i))).sort((a, b) => miss(a) - miss(b));
  const ends = missed === 0 ? [] : [...byMiss.slice(0, missed), ...byMiss.slice(-missed).reverse()];
  return [...new Set([...byProbability.slice(0, likeliest), ...ends])];
}
