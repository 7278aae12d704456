/** Control characters, and those that turn the direction of writing. */
const obeyed = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What goes with an InputError: the error behind it, and what would help. */
export interface InputErrorOptions extends ErrorOptions {
  /** Name of an option of the call. */
  remedy?: string;
}

/**
 * Input that cannot be used: a broken file, a contradicting config, a missing token.
 * Its message is one line that names the place and the field and says what to do.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  /** Option of the call under which it would be done all the same, or that says what is missing. */
  readonly remedy: string | undefined;
  constructor(
    /** File, URL or argument that the bad value came from. */
    readonly place: string,
    /** What is wrong with it, naming the field. */
    readonly problem: string,
    options: InputErrorOptions = {},
  ) {
    super(`${onOneLine(place)}: ${onOneLine(problem)}`, options);
    this.remedy = options.remedy;
  }
}

/**
 * Text for a terminal: messages may quote a file, which may hold several lines, or characters that a terminal obeys. Those
 * are written out.
 */
export function onOneLine(text: string): string {
  return text
    .replace(/\s*[\r\n\u2028\u2029]+\s*/g, " ")
    .replace(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
