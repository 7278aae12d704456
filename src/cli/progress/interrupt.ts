/** Ctrl-C: the work in hand was stopped; what it had finished is kept. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted; started again with the same arguments it goes on from here");
  }
}

/** Ctrl-C where nothing is kept of what was begun. */
export class InterruptedUnwritten extends Interrupted {
  override readonly message = "interrupted; nothing was written";
}

/** A signal that the first Ctrl-C (or SIGTERM) aborts with Interrupted; a second one ends the process at once. */
export function untilInterrupted(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const stop = () => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
  const onSignal = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      controller.abort(new Interrupted());
      return;
    }
    // As if nothing had caught it, but cleared up: process.exit would wait for the engine's threads, or crash in them.
    process.emit("exit", 130);
    stop();
    process.kill(process.pid, name);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return { signal: controller.signal, stop };
}
