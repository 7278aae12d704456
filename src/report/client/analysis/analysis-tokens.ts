import type { PageData } from "../../analysis/page-data.js";
import { unpackFloat32, unpackInt32 } from "../../page/packed-numbers.js";
import { type TokenTable, tokenTable } from "../page/tokens/token-table.js";

/** The tokens of the regression. */
export function analysisTokens({ tokens, ids, counts, observed, fitted }: PageData): TokenTable {
  return tokenTable({
    texts: tokens,
    ids: ids === undefined ? Int32Array.from(tokens.keys()) : unpackInt32(ids),
    counts,
    observed: unpackFloat32(observed),
    fitted: unpackFloat32(fitted),
  });
}
