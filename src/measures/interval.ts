/** Where a number lies, with the confidence that stands beside it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
