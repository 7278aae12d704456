/** Longest stretch of untrusted text that a label shows. */
const MAX_CHARACTERS = 40;

/** Controls, format characters (bidi overrides, zero-width), lone surrogates, spaces other than U+0020. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const SHORT_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Token text as a reader can see it: spaces as "␣", what has no ink as an escape, a combining mark on a dotted circle,
 * long texts cut. Not escaped for HTML.
 */
export function visibleToken(text: string): string {
  if (text === "") return "(empty)";
  const inked = visibleText(text).replaceAll(" ", "␣");
  return /^\p{M}/u.test(inked) ? `◌${inked}` : inked;
}

/** As visibleToken, with spaces left as they are: for file names and command lines. */
export function visibleText(text: string, maxCharacters = MAX_CHARACTERS): string {
  const start = text.slice(0, 2 * maxCharacters);
  const characters = [...start];
  const cut = characters.length > maxCharacters || start.length < text.length;
  const shown = cut ? `${characters.slice(0, maxCharacters - 1).join("")}…` : start;
  return shown.replace(INVISIBLE, (character) => SHORT_ESCAPES[character] ?? escaped(character));
}

/** A model's name without the folders before it, for where there is little room. */
export function shortName(name: string): string {
  return visibleText(name.replace(/[/\\]+$/, "").replace(/^.*[/\\](?=[^/\\]+[/\\][^/\\]+$)/, ""), 60);
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
}
