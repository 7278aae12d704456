/** Above this a token is likely, and above that it is not next to never. */
const likely = 0.01;
const noticeable = 1e-4;
const manyTimes = 10;
/** What is to stay as likely as it was is likelier by this much where it is likelier at all: less comes of rounding. */
const twice = 2;

/**
 * The probability above which a token that is to be rarer is too likely in a context, by what it was there.
 * @param inFew whether it is to be rarer in few contexts only, and to stay as likely as it was in all others
 */
export const unsafeAbove = (before: number, inFew = false): number =>
  Math.min(Math.max(likely, inFew ? twice * before : before), Math.max(noticeable, manyTimes * before));
