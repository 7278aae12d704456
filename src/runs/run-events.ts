/** What a run tells while it works. A command draws it on one line, a page shows it, a worker passes it on. */
export type RunEvent = RunProgress | RunNotice;

/** How far one phase of a run is. */
export interface RunProgress {
  readonly type: "progress";
  /** What is being done, as a line names it: "fit", "measure check". */
  readonly phase: string;
  readonly done: number;
  /** undefined while it is not known. */
  readonly total?: number | undefined;
  readonly unit: "tokens" | "steps" | "points" | "checkpoints" | "parts" | "bytes" | "devices";
  /** Units that were done before this run began, in a run that goes on from an earlier one: they took no time. */
  readonly resumedFrom?: number | undefined;
  /** What was found so far, such as a KL; shown where there is room. */
  readonly found?: string | undefined;
}

/** Something that a person should read: a warning, or what is done differently from what they might expect. */
export interface RunNotice {
  readonly type: "notice";
  readonly message: string;
}

/** Takes what a run tells; must not throw. */
export type OnRunEvent = (event: RunEvent) => void;
