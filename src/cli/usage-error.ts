/**
 * A command line that makes no sense, whatever its files hold: exit code 2. Only commands throw it, and it names flags;
 * what the library refuses is an InputError with the field's plain name.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** @param flag at fault, or the command's name if none is @param problem what is wrong, and what is wanted */
  constructor(flag: string, problem: string) {
    super(`${flag}: ${problem}`);
  }
}
