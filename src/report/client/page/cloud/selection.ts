/** Which tokens the reader points at: shared, so that a token shows in every figure at once. */
export interface Selection {
  /** Under the pointer or the arrow keys. */
  hovered: number | undefined;
  /** Marked by a search or a click. */
  marked: readonly number[];
  /** Called after every change. */
  listeners: (() => void)[];
}

export function newSelection(): Selection {
  return { hovered: undefined, marked: [], listeners: [] };
}

export function hover(selection: Selection, token: number | undefined): void {
  if (selection.hovered === token) return;
  selection.hovered = token;
  for (const listener of selection.listeners) listener();
}

export function mark(selection: Selection, tokens: readonly number[]): void {
  selection.marked = tokens;
  for (const listener of selection.listeners) listener();
}

/** Adds a token to the marked ones, or takes it away. */
export function toggleMark(selection: Selection, token: number): void {
  const { marked } = selection;
  mark(selection, marked.includes(token) ? marked.filter((other) => other !== token) : [...marked, token]);
}
