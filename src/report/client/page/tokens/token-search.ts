import { mark, type Selection, toggleMark } from "../cloud/selection.js";
import { findTokens, type TokenTable } from "./token-table.js";
import { element, tokenElement } from "./token-tip.js";

/** Tokens that one search marks: more would hide each other's names. */
const MARKED = 8;

/** The elements of the search, and the tokens that it lists while nothing is marked. */
export interface SearchPanel {
  input: HTMLInputElement;
  title: HTMLElement;
  list: HTMLElement;
  landmarks: readonly number[];
  /** The line beside a token's name. */
  line: (tokens: TokenTable, token: number) => string;
}

/** Marks what the reader types, and lists what is marked. */
export function tokenSearch(panel: SearchPanel, tokens: TokenTable, selection: Selection): void {
  const { input, title, list, landmarks, line } = panel;
  let shown: readonly number[] | undefined;
  const show = () => {
    if (selection.marked === shown) return;
    shown = selection.marked;
    const none = shown.length === 0;
    const missing = none && input.value.trim() !== "";
    title.textContent = missing ? "No token holds that text" : none ? "For example" : "Marked";
    list.replaceChildren(
      ...(missing ? [] : none ? landmarks : shown).map((token) =>
        listedToken(token, tokens, line, none ? undefined : selection),
      ),
    );
  };
  input.addEventListener("input", () => mark(selection, findTokens(tokens, input.value, MARKED)));
  selection.listeners.push(show);
  show();
}

/** One line of the list; with a selection, a button takes the token out of it. */
function listedToken(
  token: number,
  tokens: TokenTable,
  line: SearchPanel["line"],
  selection: Selection | undefined,
): HTMLElement {
  const item = document.createElement("li");
  item.append(tokenElement(tokens, token), element("span", line(tokens, token)));
  if (selection === undefined) return item;
  const remove = element("button", "×");
  remove.setAttribute("aria-label", "Unmark this token");
  remove.addEventListener("click", () => toggleMark(selection, token));
  item.append(remove);
  return item;
}
