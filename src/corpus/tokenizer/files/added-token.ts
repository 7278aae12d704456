import * as z from "zod";

/** The flags of an added token, as every file that lists some has them. */
export const addedTokenFields = z.object({
  content: z.string(),
  special: z.boolean().default(false),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
});

/** A token that is found in texts before the model sees them. */
export interface AddedToken {
  content: string;
  /** Stands for no text. */
  special: boolean;
  /** Only where it is no part of a longer word. */
  single_word: boolean;
  /** With the white space before it, after it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Looked for in normalised text. */
  normalized: boolean;
}

export function withDefaults({ normalized, ...fields }: z.infer<typeof addedTokenFields>): AddedToken {
  return { ...fields, normalized: normalized ?? !fields.special };
}

/** A token of which only the text is known. */
export function plainToken(content: string, special: boolean): AddedToken {
  return { content, special, single_word: false, lstrip: false, rstrip: false, normalized: !special };
}
