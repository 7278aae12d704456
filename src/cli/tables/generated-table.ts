import type { GeneratedText } from "../../generation/generate.js";
import type { NextTokenDistribution } from "../../generation/next-token.js";
import { counted } from "../../report/page/numbers.js";
import { printable } from "./analysis-table.js";

/**
 * Text as it can be printed: what a model writes may hold the terminal's own commands. All control characters but line
 * breaks and tabs, and what turns the direction of writing, are shown as U+FFFD.
 */
export function shownText(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** What is shown of a text, whether it was finished or not. */
type ListedText = Pick<GeneratedText, "prompt" | "sample" | "text">;

/** Several texts below one another, each under a line that says which it is. */
export function generatedSections(prompts: readonly string[], texts: readonly ListedText[]): string {
  const several = texts.some(({ sample }) => sample > 0);
  return texts
    .map(({ prompt, sample, text }) => {
      const name = [
        ...(prompts.length > 1 ? [`prompt ${prompt + 1}`] : []),
        ...(several ? [`text ${sample + 1}`] : []),
      ].join(", ");
      return `--- ${name} ---\n${shownText(prompts[prompt]! + text)}`;
    })
    .join("\n\n");
}

/** The likeliest next tokens, in 80 columns. */
export function nextTokenTable(prompt: string, distribution: NextTokenDistribution): string {
  const { likeliest, entropy, promptTokens } = distribution;
  const differs = likeliest.some(({ probability, drawn }) => probability !== drawn);
  let cumulative = 0;
  const columns = (...cells: string[]) =>
    [cells[0]!.padStart(4), `  ${cells[1]!.padEnd(24)}`, ...cells.slice(2).map((cell) => cell.padStart(12))].join("");
  const lines = likeliest.map(({ id, token, probability, drawn }, index) => {
    cumulative += probability;
    const drawnCell = differs ? [percent(drawn)] : [];
    return columns(
      `${index + 1}`,
      token === "" ? "" : printable(token),
      `${id}`,
      percent(probability),
      percent(cumulative),
      ...drawnCell,
    );
  });
  return [
    `after ${printable(prompt.slice(-20))} (${counted(promptTokens, "token")}): entropy ${entropy.toFixed(3)} nats`,
    columns("", "token", "id", "probability", "together", ...(differs ? ["drawn"] : [])),
    ...lines,
  ].join("\n");
}

function percent(probability: number): string {
  if (probability === 0) return "0%";
  const value = 100 * probability;
  return value >= 0.01 ? `${value.toFixed(3)}%` : `${value.toExponential(2)}%`;
}
