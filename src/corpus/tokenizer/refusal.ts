/** Something in a tokenizer's files that cannot be used; whoever reads them says in which file. */
export class Refusal extends Error {
  constructor(
    /** Where it stands, as `model.merges`. */
    readonly field: string,
    /** What is wrong, to follow the field's name. */
    readonly problem: string,
  ) {
    super(`field "${field}" ${problem}`);
  }
}

/** Refuses a text that a step of a tokenizer makes longer than any real one would. */
export function checkGrowth(field: string, length: number, limit: number): void {
  if (length > limit) throw new Refusal(field, `makes more than ${limit} characters of a short text`);
}

/** Characters that a text may have become: normal forms make 18 of one, bytes written as letters 3. */
export function growthLimit(length: number): number {
  return 2 ** 16 + 64 * length;
}
