import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { printable } from "./analysis-table.js";
import { shownText } from "./generated-table.js";

/** Tokens matched that are listed by name. */
const listed = 20;

/** The tokens that each edit is about. */
export function matchedLines({ edits }: EditPlan): string {
  return edits
    .map(({ label, tokens, notes = [] }) => {
      const shown = tokens.slice(0, listed).map(({ id, text }) => `${printable(text)} (id:${id})`);
      const more = tokens.length > listed ? ` and ${tokens.length - listed} more` : "";
      return [`${label} is about ${shown.join(", ")}${more}`, ...notes.map((note) => `  ${shownText(note)}`)].join(
        "\n",
      );
    })
    .join("\n");
}
