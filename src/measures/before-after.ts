/** One number of what was, and of what became of it. */
export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}
