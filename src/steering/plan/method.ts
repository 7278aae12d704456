/** Ways of finding the edit of a row of E (METHOD.md section 3). */
export const methods = ["nearest", "constant", "encoding", "salient", "mean"] as const;
export type Method = (typeof methods)[number];

/** lambda unless another is asked for. */
export const defaultLambda = 1e-4;
