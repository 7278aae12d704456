import type { DroppedFile } from "../actions.js";
import { type Desk, modelKey } from "../desk.js";

/** Whether the model that was asked for is the one that is open. */
export const isModelOpen = (desk: Desk): boolean =>
  desk.model !== undefined &&
  desk.work.isDone("model", `${modelKey(desk)} ${desk.asked.agreed}`) &&
  desk.store.state.download === null;

/** Files that were dropped together. */
export function filesOf(
  { drops }: Desk,
  choice: { readonly kind: string; readonly drop?: number },
): readonly DroppedFile[] {
  return choice.kind === "dropped" ? (drops[choice.drop!] ?? []) : [];
}

/** Forgets the text and all that was found on it. */
export function clearText(desk: Desk): void {
  desk.read = undefined;
  desk.probes = undefined;
  desk.slide = undefined;
  desk.shrinking = undefined;
  desk.paths.clear();
  desk.store.hide("read", "token", "live", "solved", "methods", "shrink", "shrink-live", "trim");
  desk.store.set({ text: null, shrink: null, trim: null, token: null });
}
