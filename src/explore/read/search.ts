import type { Analysis } from "../../encoding/analysis.js";
import { InputError } from "../../errors.js";
import { tokenNames } from "../../model/head/token-names.js";
import type { Model } from "../../model/model.js";
import { selectTokens } from "../../steering/plan/token-selector.js";
import type { FoundFigure } from "../figures.js";

const listed = 100;
/** What begins a selector of several tokens. */
const selector = /^(?:\/.+\/[a-z]*$|@|id:\d+$)/s;

/** Tokens whose text holds a string, whatever its case, the likeliest first; or those that a selector stands for. */
export async function searchTokens(
  model: Model,
  analysis: Analysis | undefined,
  query: string,
  matchTexts?: (pattern: RegExp, texts: readonly string[]) => readonly boolean[],
): Promise<FoundFigure> {
  const names = await tokenNames(model);
  const probabilityOf = (id: number) =>
    analysis ? analysis.statistics.sumProbability[id]! / analysis.statistics.contexts : null;
  const found = (ids: readonly number[], problem: string | null): FoundFigure => ({
    ...{ name: "found", query, problem, total: ids.length },
    tokens: [...ids]
      .sort((a, b) => (probabilityOf(b) ?? 0) - (probabilityOf(a) ?? 0) || a - b)
      .slice(0, listed)
      .map((id) => ({ id, text: names.tokenText(id), probability: probabilityOf(id) })),
  });
  if (query === "") return found([], null);
  if (!selector.test(query)) {
    const wanted = query.toLowerCase();
    const all = Array.from({ length: model.vocabSize }, (_, id) => id);
    return found(
      all.filter((id) => names.produces(id) && names.tokenText(id).toLowerCase().includes(wanted)),
      null,
    );
  }
  try {
    return found(await selectTokens(query, names, { matchTexts }), null);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return found([], error.message);
  }
}
