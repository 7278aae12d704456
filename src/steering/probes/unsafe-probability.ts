/** Above this a token is likely, and above that it is not next to never. */
const likely = 0.01;
const noticeable = 1e-4;
const manyTimes = 10;

/** The probability above which a token that is to be rarer is too likely in a context, by what it was there. */
export const unsafeAbove = (before: number): number =>
  Math.min(Math.max(likely, before), Math.max(noticeable, manyTimes * before));
