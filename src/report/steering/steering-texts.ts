import type { CheckText } from "../../steering/check/check-texts.js";
import { editParts } from "../../steering/plan/edit-spec.js";

/** What the texts of a steering run are called and drawn in. */
export const textNames: Record<CheckText, string> = {
  fit: "fitting text",
  inDomain: "unseen, same kind",
  outOfDomain: "unseen, other kind",
};

export const textColours: Record<CheckText, string> = {
  fit: "var(--neutral)",
  inDomain: "var(--accent)",
  outOfDomain: "var(--warm)",
};

/** The part of an edit's text that names its tokens. */
export function selectorOf(label: string): string {
  return editParts(label)?.token ?? label;
}
