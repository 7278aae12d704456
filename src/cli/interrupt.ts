/** Ctrl-C: the work in hand was stopped; what it had finished is kept. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted; started again with the same arguments it goes on from here");
  }
}

/** A signal that the first Ctrl-C (or SIGTERM) aborts with Interrupted; a second one ends the process at once. */
export function untilInterrupted(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Interrupted());
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    stop() {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
