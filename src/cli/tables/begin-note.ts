/** Said of windows that do not begin with text. */
export function beginNote({ beginOfText }: { readonly beginOfText: boolean }): string {
  return beginOfText ? ", each after begin-of-text" : "";
}
