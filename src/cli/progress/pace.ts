/** A rate is that of about so many last seconds: work does not always go on as it began. */
const windowSeconds = 15;
/** Before this much time has passed and this share is done, neither rate nor time left means anything. */
const sureAfterSeconds = 2;
const sureShare = 0.02;
/** Less than this is over before it is read. */
const leastSecondsLeft = 3;

/** How fast something goes; undefined where that means nothing. */
export interface Pace {
  /** Units a second. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
}

export interface PaceMeter {
  /** @param seconds on any clock that does not go back */
  measure(done: number, total: number | undefined, seconds: number): Pace;
}

const unknown: Pace = { rate: undefined, secondsLeft: undefined };

/** Measures from its first call on: what was done before took another run's time. */
export function paceMeter(): PaceMeter {
  let begun: { readonly done: number; readonly seconds: number } | undefined;
  /** The last moments, and the newest one before them. */
  let moments: { readonly done: number; readonly seconds: number }[] = [];
  return {
    measure(done, total, seconds) {
      const now = { done, seconds };
      if (begun === undefined || done < moments.at(-1)!.done) {
        begun = now;
        moments = [now];
        return unknown;
      }
      const recent = moments.findIndex((moment) => seconds - moment.seconds <= windowSeconds);
      moments = [...moments.slice(recent < 0 ? -1 : Math.max(0, recent - 1)), now];
      if (seconds - begun.seconds < sureAfterSeconds || (total !== undefined && done >= total)) return unknown;
      const from = moments[0]!;
      const rate = (done - from.done) / (seconds - from.seconds);
      if (!(rate > 0)) return unknown;
      if (total === undefined) return { rate, secondsLeft: undefined };
      if ((done - begun.done) / (total - begun.done) < sureShare) return unknown;
      const left = (total - done) / rate;
      return { rate, secondsLeft: left < leastSecondsLeft ? undefined : left };
    },
  };
}
