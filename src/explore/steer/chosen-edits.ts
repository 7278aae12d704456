import type { Model } from "../../model/model.js";
import type { EditEntry } from "../../steering/plan/edit-list.js";
import { planEdits } from "../../steering/plan/edit-plan.js";
import { defaultLambda } from "../../steering/plan/method.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { ExplorerHost } from "../host.js";
import type { Choices, ChosenEdit } from "../state.js";

/** The tokens that an edit is about. */
export interface ChosenTokens {
  readonly selector: string;
  /** Ascending. */
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  readonly notes: readonly string[];
  /** Whether it is a word of several tokens: edited only where its pieces stand, so that no slider can follow it. */
  readonly inContext: boolean;
}

/** Texts of tokens that are listed of a set. */
const listed = 40;

/**
 * What each edit is about.
 * @throws InputError if a selector stands for no token, or two for the same one
 */
export async function chooseTokens(
  host: ExplorerHost,
  model: Model,
  edits: readonly Pick<ChosenEdit, "selector">[],
): Promise<ChosenTokens[]> {
  if (edits.length === 0) return [];
  // Any target will do; words have no probability of their own, but factors.
  const entries = edits.map(({ selector }) => ({
    token: selector,
    spec: 0.5,
    place: `edit ${JSON.stringify(selector)}`,
  }));
  const { edits: planned } = await planEdits(model, entries, { matchTexts: host.matchTexts?.bind(host) });
  return edits.map(({ selector }, index) => {
    const own = planned.filter(({ label }) => label === `${selector}=x0.5`);
    const tokens = own.flatMap((edit) => edit.tokens).sort((a, b) => a.id - b.id);
    return {
      selector: edits[index]!.selector,
      ids: tokens.map(({ id }) => id),
      texts: tokens.slice(0, listed).map(({ text }) => text),
      notes: own.flatMap(({ notes = [] }) => notes),
      inContext: own.some(isInContext),
    };
  });
}

/** Edits as `steer` takes them; those that stand at 1 change nothing. */
const editEntries = (edits: readonly ChosenEdit[]): EditEntry[] =>
  edits.flatMap(({ selector, position }) => (position === 1 ? [] : [{ token: selector, spec: position }]));

/** The plan of all choices; undefined where they change nothing. @throws InputError as planEdits */
export async function chosenPlan(
  host: ExplorerHost,
  model: Model,
  { edits, method, lambda }: Pick<Choices, "edits" | "method" | "lambda">,
): Promise<EditPlan | undefined> {
  const entries = editEntries(edits);
  if (entries.length === 0) return undefined;
  return planEdits(model, entries, {
    matchTexts: host.matchTexts?.bind(host),
    // Said only where it is another than the default: a method that is said is used for bans too.
    ...(method === "nearest" ? {} : { method }),
    ...(lambda === defaultLambda ? {} : { lambda }),
  });
}

/** Which of the plan's edits come from which of the choices. */
export function groupsOfEdits(plan: Pick<EditPlan, "edits">, edits: readonly ChosenEdit[]): number[][] {
  return edits.map(({ selector, position }) => {
    const label = `${selector}=${typeof position === "number" ? "x" : ""}${position}`;
    return plan.edits.flatMap((edit, g) => (edit.label === label ? [g] : []));
  });
}
