/** Above this a token is likely, and above that it is not next to never. */
const likely = 0.01;
const noticeable = 1e-4;
const manyTimes = 10;

/**
 * The probability above which a token that is to be rarer is too likely in a context, by what it was there.
 * @param times as likely as it was is more than rounding makes of it
 */
export const unsafeAbove = (before: number, times = 1): number =>
  Math.min(Math.max(likely, times * before), Math.max(noticeable, manyTimes * before));
