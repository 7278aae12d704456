import type { EditPlan } from "../plan/saved-plan.js";
import { isInContext } from "../plan/word-edits.js";
import type { SolvedGroup } from "../solve/solution.js";
import type { EditCheck } from "./check.js";
import { type CheckText, checkTexts } from "./check-texts.js";

const names: { readonly [Text in CheckText]: string } = {
  fit: "the fitting text",
  inDomain: "unseen text of the same kind",
  outOfDomain: "unseen text of another kind",
};

/** A warning for every text on which an edit does the opposite of what it is for, by more than chance. */
export function oppositeEffects(
  { edits }: Pick<EditPlan, "edits">,
  groups: readonly Pick<SolvedGroup, "probability">[],
  check: EditCheck,
): string[] {
  return groups.flatMap(({ probability: { before, wanted } }, g) =>
    checkTexts.flatMap((text) => {
      const checked = check[text]?.groups[g];
      // The piece of a word is to stay as it is in all contexts but few.
      if (checked === undefined || isInContext(edits[g]!)) return [];
      const { scale, interval } = checked;
      const opposite = wanted < before ? interval.low > 1 : wanted > before && interval.high < 1;
      if (!opposite) return [];
      const [factor, aim] = [scale, wanted / before].map((value) => Number(value.toPrecision(3)));
      return [
        `on ${names[text]} ${JSON.stringify(edits[g]!.label)} makes its tokens ${factor} times as likely, not ${aim}: fit to text like it too, or ask for less`,
      ];
    }),
  );
}
