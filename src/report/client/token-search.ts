import { probability, times } from "../numbers.js";
import { mark, type Selection, toggleMark } from "./selection.js";
import { findTokens, type TokenTable } from "./token-table.js";
import { element, tokenElement } from "./token-tip.js";

/** Tokens that one search marks: more would hide each other's names. */
const MARKED = 8;

/** Marks what the reader types, and lists what is marked. */
export function tokenSearch(
  input: HTMLInputElement,
  list: HTMLElement,
  tokens: TokenTable,
  selection: Selection,
): void {
  input.addEventListener("input", () => {
    mark(selection, findTokens(tokens, input.value, MARKED));
    if (input.value !== "" && selection.marked.length === 0) {
      list.replaceChildren(element("li", "No token of this model holds that text."));
    }
  });
  let shown: readonly number[] = [];
  selection.listeners.push(() => {
    if (selection.marked === shown) return;
    shown = selection.marked;
    list.replaceChildren(...shown.map((token) => markedToken(token, tokens, selection)));
  });
}

function markedToken(token: number, tokens: TokenTable, selection: Selection): HTMLElement {
  const observed = tokens.observed[token]!;
  const miss = Math.exp(tokens.fitted[token]! - observed);
  const item = document.createElement("li");
  const remove = element("button", "×");
  remove.setAttribute("aria-label", "Unmark this token");
  remove.addEventListener("click", () => toggleMark(selection, token));
  item.append(
    tokenElement(tokens, token),
    element("span", `α ${probability(Math.exp(-observed))}, ${times(miss, "likelier", "rarer")} than fitted`),
    remove,
  );
  return item;
}
