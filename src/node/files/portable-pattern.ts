import { sep } from "node:path";

/**
 * A glob with "/" between folders, as globs are written everywhere: on Windows a backslash there is a separator too, elsewhere
 * it keeps what follows from being special.
 */
export function portablePattern(pattern: string, separator: string = sep): string {
  return separator === "\\" ? pattern.replaceAll(separator, "/") : pattern;
}
