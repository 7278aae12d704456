import { count, decimal, percent, probability, times } from "../../../page/numbers.js";
import { visibleToken } from "../../../page/visible-text.js";
import type { TokenTable } from "./token-table.js";

/** One token of an analysis. */
export function describeToken(tokens: TokenTable, i: number): HTMLElement[] {
  const observed = tokens.observed[i]!;
  const fitted = tokens.fitted[i]!;
  return describedToken(tokens, i, [
    ["true α", probability(Math.exp(-observed))],
    ["fitted α", probability(Math.exp(-fitted))],
    ["true is", times(Math.exp(fitted - observed), "likelier", "rarer")],
    ["−log α", `${decimal(observed, 2)}, fitted ${decimal(fitted, 2)}`],
    ["percentile", percent(tokens.percentile[i]!, 1)],
    ["in the text", `${count(tokens.counts[i]!)} times`],
  ]);
}

/** A token and facts about it, as the elements that show them. Token text only ever becomes text. */
export function describedToken(
  tokens: TokenTable,
  i: number,
  facts: readonly (readonly [name: string, value: string])[],
): HTMLElement[] {
  const list = document.createElement("dl");
  for (const [name, value] of facts) list.append(element("dt", name), element("dd", value));
  return [tokenElement(tokens, i), element("small", ` #${tokens.ids[i]}`), list];
}

export function tokenElement(tokens: TokenTable, i: number): HTMLElement {
  const name = element("bdi", visibleToken(tokens.texts[i]!));
  name.className = "token";
  return name;
}

export function element(tag: string, text: string): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}

/** Puts the tip beside a point of its figure, on the side with more room. */
export function placeTip(tip: HTMLElement, x: number, y: number, width: number, height: number): void {
  const gap = 14;
  const left = x < width / 2 ? x + gap : x - gap - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(width - tip.offsetWidth, left))}px`;
  tip.style.top = `${Math.max(0, Math.min(height - tip.offsetHeight, y - tip.offsetHeight / 2))}px`;
}
