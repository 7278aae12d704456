/** Markup that is safe to insert as it is. */
export interface Html {
  readonly markup: string;
}

type Content = string | number | Html | undefined | readonly Content[];

/**
 * Tagged template for HTML: every interpolated text is escaped, for elements and quoted attributes alike; markup made
 * by this tag goes in as it is, arrays are joined, undefined is nothing.
 */
export function html(literals: TemplateStringsArray, ...contents: Content[]): Html {
  let markup = literals[0]!;
  for (const [i, content] of contents.entries()) markup += render(content) + literals[i + 1]!;
  return { markup };
}

/** A text that is markup already: only for constants of this project, never for input. */
export function trustedHtml(markup: string): Html {
  return { markup };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function render(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "string" || typeof content === "number") return escapeHtml(String(content));
  if (isList(content)) return content.map(render).join("");
  return content.markup;
}

function isList(content: Html | readonly Content[]): content is readonly Content[] {
  return Array.isArray(content);
}
