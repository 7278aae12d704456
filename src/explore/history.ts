import type { Choices } from "./state.js";

/** Choices that came before the present ones, and those that were undone, the nearest last in both. */
export interface History {
  readonly past: readonly Choices[];
  readonly future: readonly Choices[];
}

export const noHistory: History = { past: [], future: [] };

/** Steps that can be undone. */
const mostSteps = 200;

/** After a step that left `before` behind. */
export function stepped({ past }: History, before: Choices): History {
  return { past: [...past, before].slice(-mostSteps), future: [] };
}

/** @returns undefined where there is nothing to undo */
export function undone({ past, future }: History, now: Choices): { history: History; choices: Choices } | undefined {
  const choices = past.at(-1);
  return choices && { choices, history: { past: past.slice(0, -1), future: [...future, now] } };
}

/** @returns undefined where nothing was undone */
export function redone({ past, future }: History, now: Choices): { history: History; choices: Choices } | undefined {
  const choices = future.at(-1);
  return choices && { choices, history: { past: [...past, now], future: future.slice(0, -1) } };
}
