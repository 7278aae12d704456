/** Ways of finding the edit of a row of E (METHOD.md section 3). */
export const methods = ["nearest", "constant", "encoding", "salient", "mean"] as const;
/** One of the ways of finding the edit of a row of E. */
export type Method = (typeof methods)[number];

/**
 * Ways of banning tokens (METHOD.md, "Bans"): the head's own bias; the exact constant direction of a LayerNorm; the row of a
 * token that the model never uses; a convex combination of other tokens' rows.
 */
export const banMethods = ["bias", "constant", "unused", "combination"] as const;
/** One of the ways of banning tokens. */
export type BanMethod = (typeof banMethods)[number];

/** lambda unless another is asked for. */
export const defaultLambda = 1e-4;
