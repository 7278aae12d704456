import { jsonStringEnd } from "./json-string-end.js";

/** Written outside of strings by Python's json, which JSON has no words for. */
const words = ["NaN", "-Infinity", "Infinity"] as const;

/**
 * JSON as Python's json writes it: NaN and infinities become numbers that are not finite, so that a field which nobody asks
 * for may hold one, and who asks for it finds no finite number.
 * @throws SyntaxError if it is no JSON
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const finite = withoutWords(text);
    if (finite === undefined) throw error;
    return JSON.parse(finite);
  }
}

/** @returns the text with numbers too large for a float64 in their places; undefined if there is none */
function withoutWords(text: string): string | undefined {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text[at];
    if (code === '"') at = jsonStringEnd(text, at) - 1;
    else if (code === "N" || code === "I" || code === "-") {
      const word = words.find((candidate) => text.startsWith(candidate, at));
      if (word === undefined) continue;
      parts.push(text.slice(from, at), word.startsWith("-") ? "-1e999" : "1e999");
      from = at + word.length;
      at = from - 1;
    }
  }
  return from === 0 ? undefined : parts.join("") + text.slice(from);
}
