import { InputError } from "../../errors.js";
import { splitEdit, targetOf } from "./edit-spec.js";
import type { Target } from "./targets.js";

/** One edit as it is asked for. */
export interface EditEntry {
  readonly token: string;
  /** A SPEC, or a number: a factor on the mean probability. */
  readonly spec: string | number;
  /** Where it was asked for, such as a file's line, for messages. */
  readonly place?: string | undefined;
}

/** Edits as they are asked for: `TOKEN=SPEC` or its two parts, or an object of SPECs (a number is a factor) by TOKEN. */
export type Edits = readonly (string | EditEntry)[] | Readonly<Record<string, string | number>>;

/** An edit whose target has been read. */
export interface AskedEdit {
  readonly token: string;
  readonly target: Target;
  readonly label: string;
  readonly place: string;
  /** The place that came with it, such as a file's line. */
  readonly given: string | undefined;
}

/** @throws InputError naming the edit that asks for nothing known, or for what no probability can be */
export function askedEdits(edits: Edits): AskedEdit[] {
  const entries = isList(edits) ? edits : Object.entries(edits).map(([token, spec]) => ({ token, spec }));
  const asked = entries.map((entry) => {
    const {
      token,
      spec,
      place: given,
    }: EditEntry = typeof entry === "string" ? splitEdit(entry, placeOf(entry)) : entry;
    const label = `${token}=${typeof spec === "number" ? "x" : ""}${spec}`;
    const place = given ?? placeOf(label);
    const target = targetOf(spec, place);
    checkWord(token, target, place);
    return { token, target, label, place, given };
  });
  if (asked.length === 0) throw new InputError("edits", "none is given");
  return asked;
}

/** The word that `@word:...` names; undefined for a selector of tokens. */
export const wordOf = (selector: string): string | undefined => /^@word:(.*)$/s.exec(selector)?.[1];

function checkWord(token: string, target: Target, place: string): void {
  const word = wordOf(token);
  if (word === undefined) return;
  if (/^"?\s*"?$/.test(word)) throw new InputError(place, "names an empty word: @word:WORD is wanted");
  if ("probability" in target) {
    throw new InputError(
      place,
      "asks for a mean probability, which a word of several tokens has not: x0.01, +2, -2 or ban is wanted",
    );
  }
}

function isList(edits: Edits): edits is readonly (string | EditEntry)[] {
  return Array.isArray(edits);
}

function placeOf(label: string): string {
  return `edit ${JSON.stringify(label)}`;
}
