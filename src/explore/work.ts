import type { Task } from "./state.js";
import type { Store } from "./store.js";

/** Told how far a task is. */
export type OnStep = (done: number, total?: number | null, unit?: Task["unit"]) => void;

/** One thing that is done at a time by each name: what it was done for is its key, and another key begins it anew. */
export interface Work {
  /**
   * Has the work of this name done for this key: nothing, where it is under way or done; what is under way for another key is
   * stopped. Without a key it is only stopped.
   */
  ensure(
    name: string,
    key: string | undefined,
    label: string,
    work: (signal: AbortSignal, onStep: OnStep) => Promise<void>,
  ): void;
  /** Whether the work of this name is done for this key. */
  isDone(name: string, key: string): boolean;
  /** Stops one or all; what was stopped is not begun again for the same key. */
  stop(name?: string | undefined): void;
  /** Forgets that anything was done, and waits until nothing is under way. */
  reset(): Promise<void>;
  /** Resolves once nothing of this name, or nothing at all, is under way. */
  settled(name?: string | undefined): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly controller: AbortController;
  readonly running: Promise<void>;
  done: boolean;
}

/** @param onError told what went wrong  @param onDone told after each piece of work that was not stopped */
export function createWork(store: Store, onError: (name: string, error: unknown) => void, onDone: () => void): Work {
  const entries = new Map<string, Entry>();
  /** What was stopped and has not come to its end yet. */
  const ending = new Set<Promise<void>>();
  const set = (name: string, task: Task | undefined) => {
    const others = store.state.tasks.filter((one) => one.name !== name);
    store.set({ tasks: task === undefined ? others : replaced(store.state.tasks, task) });
  };
  const abort = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined || entry.done) return;
    entry.controller.abort();
    set(name, undefined);
  };
  return {
    ensure(name, key, label, work) {
      const before = entries.get(name);
      if (before?.key === key) return;
      abort(name);
      entries.delete(name);
      if (key === undefined) return;
      const controller = new AbortController();
      const { signal } = controller;
      const onStep: OnStep = (done, total = null, unit = null) => {
        if (!signal.aborted) set(name, { name, label, done, total, unit });
      };
      onStep(0);
      const run = async () => {
        // What it takes the place of may hold what it needs.
        await before?.running;
        if (!signal.aborted) await work(signal, onStep);
      };
      const running = run()
        .catch((error: unknown) => {
          if (!signal.aborted) onError(name, error);
        })
        .then(() => {
          ending.delete(running);
          if (signal.aborted) return;
          entry.done = true;
          set(name, undefined);
          onDone();
        });
      const entry: Entry = { key, controller, running, done: false };
      ending.add(running);
      entries.set(name, entry);
    },
    isDone(name, key) {
      const entry = entries.get(name);
      return entry?.key === key && entry.done && !entry.controller.signal.aborted;
    },
    stop(name) {
      for (const one of name === undefined ? [...entries.keys()] : [name]) abort(one);
    },
    async reset() {
      for (const name of entries.keys()) abort(name);
      entries.clear();
      while (ending.size > 0) await Promise.all(ending);
    },
    async settled(name) {
      if (name !== undefined) {
        await entries.get(name)?.running;
        return;
      }
      while (ending.size > 0) await Promise.all(ending);
    },
  };
}

function replaced(tasks: readonly Task[], task: Task): Task[] {
  const at = tasks.findIndex(({ name }) => name === task.name);
  return at < 0 ? [...tasks, task] : tasks.map((one, index) => (index === at ? task : one));
}
