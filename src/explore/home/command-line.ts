import { defaultLambda } from "../../steering/plan/method.js";
import { defaultTokens } from "../desk.js";
import type { State } from "../state.js";

/** The one command that does what the page shows; null before a model is open. */
export function commandOf({ model, text, choices, room }: State): string | null {
  if (model === null) return null;
  const { edits, method, lambda, shrink, trim } = choices;
  const changed = edits.filter(({ position }) => position !== 1);
  const asked = room === "trim" || room === "shrink" ? room : changed.length > 0 ? "steer" : "analyze";
  const name = model.reference.kind === "embedded" ? [] : [model.name];
  const source = [
    ...(text === null || (text.reference.kind === "offered" && isEmbedded(text.name)) ? [] : ["--corpus", text.name]),
    ...["--tokens", String(text?.total ?? defaultTokens)],
  ];
  if (asked === "shrink" && shrink !== null) {
    const rescore = shrink.rescore > 0 ? ["--rescore", String(shrink.rescore)] : [];
    const how = ["--keep", String(shrink.kept), ...rescore, "--compensate", "least-squares"];
    return line(["reduce", ...name, ...how, ...source, "--out", "smaller"]);
  }
  if (asked === "trim" && trim !== null) {
    return line(["trim", ...name, "--max-vocab", String(trim), ...source, "--out", "trimmed"]);
  }
  if (changed.length === 0) return line(["analyze", ...name, ...source, "--out", "run"]);
  const specs = changed.flatMap(({ selector, position }) => [
    "--edit",
    `${selector}=${position === "ban" ? "ban" : `x${position}`}`,
  ]);
  const way = [
    ...(method === "nearest" ? [] : ["--method", method]),
    ...(lambda === defaultLambda ? [] : ["--size", String(lambda)]),
  ];
  return line([
    "steer",
    ...name,
    ...specs,
    ...way,
    ...source,
    "--probes",
    String(4096),
    "--allow-unsafe",
    "--out",
    "edited",
  ]);
}

/** Texts that come with unembed are the default of every command. */
const isEmbedded = (name: string): boolean => name === "books";

const line = (words: readonly string[]): string => ["unembed", ...words.map(quoted)].join(" ");

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
