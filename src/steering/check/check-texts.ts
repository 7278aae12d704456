/** Texts that an edit is measured on: what it was fitted to, unseen text of the same kind, and of another. */
export const checkTexts = ["fit", "inDomain", "outOfDomain"] as const;
/** One of `checkTexts`. */
export type CheckText = (typeof checkTexts)[number];
