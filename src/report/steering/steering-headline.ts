import { finiteMedian } from "../../measures/median.js";
import type { CheckedGroup } from "../../steering/check/check.js";
import type { CheckText } from "../../steering/check/check-texts.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { tolerance } from "../../steering/plan/targets.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import { unsafeEdits } from "../../steering/probes/unsafe-edits.js";
import { isRounded } from "../../steering/solve/solution.js";
import type { SteeringRun, WrittenEdit } from "../../steering/steering-run.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, percent, significant, times } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { tokenLabel } from "../page/token-label.js";
import { shortName, visibleText } from "../page/visible-text.js";
import { selectorOf, textNames } from "./steering-texts.js";

/** Edits that the title names one by one. */
const NAMED = 3;
/** The result in plain words, with the numbers behind it. */
export function steeringHeadline(run: SteeringRun, edit: WrittenEdit): Html {
  return html`<header class="headline">
<p class="eyebrow">Steering · ${shortName(run.model.name)}</p>
<h1>${verdict(edit)}</h1>
${unsafe(edit)}<p class="lead">${done(run, edit)} ${held(edit)}</p>
<p class="lead">${cost(edit)}</p>
${tiles(edit)}
</header>`;
}

/** What may do harm, before all that went well. */
function unsafe({ plan, probed }: WrittenEdit): Html | undefined {
  const found = unsafeEdits(plan, probed);
  if (found.length === 0) return undefined;
  return html`<ul class="note missed">${found.map((one) => html`<li>${visibleText(one, 400)}</li>`)}</ul>
`;
}

/** A token by its text, a word by itself, a set by what it was asked for with and its size. */
export function editName({ label, tokens, word }: EditPlan["edits"][number]): Html {
  const [first] = tokens;
  if (word)
    return html`<bdi class="token">${visibleText(word.text)}</bdi> <small>by its piece ${count(word.piece)}</small>`;
  if (tokens.length === 1) return tokenLabel(first!.text, first!.id);
  return html`<bdi class="token">${visibleText(selectorOf(label))}</bdi> <small>${counted(tokens.length, "token")}</small>`;
}

function verdict({ plan, solution }: WrittenEdit): Html {
  const { edits } = plan;
  if (edits.length > NAMED) return html`${counted(edits.length, "edit")} of token probability, inside the weights`;
  const parts = edits.map((edit, g) => {
    const { before, after } = solution.groups[g]!.probability;
    const factor = times(after / before, "likelier", "rarer");
    return html`${g === 0 ? "" : g === edits.length - 1 ? " and " : ", "}${editName(edit)} ${factor === "equal" ? "as likely as before" : factor}`;
  });
  return html`${parts}, inside the weights`;
}

function done({ model }: SteeringRun, { solution, plan }: WrittenEdit): Html {
  const rows = solution.rows.ids.length;
  const missed = solution.groups.filter(({ shortfall }) => shortfall !== undefined).length;
  return html`${rows === 1 ? "One row" : `${count(rows)} rows`} of the output embedding of <b>${shortName(model.name)}</b>
(${count(model.vocabSize)} × ${count(model.hiddenSize)}) ${rows === 1 ? "was" : "were"} rewritten by the method <i>${plan.method}</i>; every other weight is what it was. ${
    missed === 0
      ? ""
      : `${missed === plan.edits.length ? "No target" : `Of the ${count(plan.edits.length)} targets ${count(missed)}`} could ${missed === plan.edits.length ? "" : "not "}be reached; the nearest was taken.`
  }`;
}

function held({ plan, check, solution }: WrittenEdit): string {
  const wanted = inAllContexts(plan, solution.groups).map(({ probability }) => probability.wanted / probability.before);
  if (wanted.length === 0) return "What the words’ edits do is measured where the words are: below.";
  const worst = (text: CheckText, of: (group: CheckedGroup) => number) =>
    Math.max(
      ...(check[text] ? inAllContexts(plan, check[text].groups) : []).map((group, g) =>
        Math.abs(Math.log(of(group) / wanted[g]!)),
      ),
    );
  const several = wanted.length > 1;
  const actual = (group: CheckedGroup) => group.scale;
  const fit = worst("fit", actual);
  const sentences: string[] = [];
  if (Number.isFinite(fit)) {
    sentences.push(
      fit < tolerance
        ? `Read back from the disk, the model gives ${several ? "every edit" : "it"} the wanted factor on the fitting text${fit === 0 ? "" : `, to within ${significant(fit)} of it`}${solution.groups.some(isRounded) ? ", which is the rounding of its number type" : ""}.`
        : `Read back from the disk, the factor on the fitting text is off by ${offBy(fit)}${several ? " at worst" : ""}.`,
    );
  }
  const unseen = (["inDomain", "outOfDomain"] as const).filter((text) => check[text] !== undefined);
  for (const text of unseen) {
    const ideal = worst(text, (group) => group.idealScale);
    const kind = text === "inDomain" ? "unseen text of the same kind" : "text of another kind";
    sentences.push(
      `On ${kind} it is off by ${offBy(worst(text, actual))}${several ? " at worst" : ""}, a true logit bias by ${offBy(ideal)}.`,
    );
  }
  if (unseen.length > 0) sentences.push("What both share comes from the texts being different, not from the edit.");
  return sentences.join(" ");
}

/** Of all edits what belongs to those that hold in every context, unlike those of words. */
const inAllContexts = <Of>({ edits }: Pick<EditPlan, "edits">, all: readonly Of[]): Of[] =>
  all.filter((_, g) => !isInContext(edits[g]!));

function cost({ check }: WrittenEdit): string {
  const text = (["inDomain", "fit", "outOfDomain"] as const).find((name) => check[name] !== undefined);
  if (text === undefined) return "What else changed was not measured.";
  const { top1, perplexity, kl, klOthers } = check[text]!.collateral;
  const change = perplexity.after / perplexity.before - 1;
  const rest =
    klOthers.max < 1e-6
      ? "All other tokens keep their proportions to one another in every context"
      : `Among one another, all other tokens move by ${significant(klOthers.mean)} nats (KL, renormalised)`;
  return `What the edit itself cost (${textNames[text]}): the whole distribution moves by ${significant(kl.mean)} nats (KL); the likeliest next token is the same in ${percent(top1)} of contexts; perplexity goes from ${decimal(perplexity.before, 2)} to ${decimal(perplexity.after, 2)}${
    Number.isFinite(change) ? ` (${signedPercent(change)})` : ""
  }. ${rest}.`;
}

/** |ln(actual / wanted)| as people say it: a percentage while that is short, a factor beyond. */
export function offBy(logError: number): string {
  if (!Number.isFinite(logError)) return "–";
  return logError < 0.5 ? percent(Math.expm1(logError)) : `a factor of ${significant(Math.exp(logError))}`;
}

export function signedPercent(change: number): string {
  return `${change > 0 ? "+" : ""}${percent(change)}`;
}

function tiles({ check, solution, plan }: WrittenEdit): Html {
  const wanted = inAllContexts(plan, solution.groups).map(({ probability }) => probability.wanted / probability.before);
  const off = (text: CheckText) => {
    const groups = check[text] && inAllContexts(plan, check[text].groups);
    if (groups === undefined) return tile(textNames[text], "–", "not measured");
    if (groups.length === 0) return tile(textNames[text], "–", "words are measured by themselves");
    const errors = (of: (group: CheckedGroup) => number) =>
      finiteMedian(groups.map((group, g) => Math.abs(Math.log(of(group) / wanted[g]!))));
    return tile(
      textNames[text],
      shortMiss(errors(({ scale }) => scale)),
      `factor off by so much${groups.length > 1 ? " (median)" : ""}; a logit bias: ${shortMiss(errors(({ idealScale }) => idealScale))}`,
    );
  };
  const collateral = (check.inDomain ?? check.fit ?? check.outOfDomain)?.collateral;
  const { before = Number.NaN, after = Number.NaN } = collateral?.perplexity ?? {};
  const size = finiteMedian(solution.groups.map(({ norms }) => Math.hypot(...norms)));
  return html`<dl class="tiles">
${tile(plan.edits.length === 1 ? "edit" : "edits", count(plan.edits.length), `of ${count(solution.rows.ids.length)} rows of E, ${decimal(size, 3)} long${plan.edits.length > 1 ? " (median)" : ""}`)}
${(["fit", "inDomain", "outOfDomain"] as const).map(off)}
${tile("same likeliest token", percent(collateral?.top1 ?? Number.NaN), "share of contexts")}
${tile("perplexity", signedPercent(after / before - 1), `${decimal(before, 2)} before, ${decimal(after, 2)} after`)}
</dl>`;
}

/** The same where there is little room. */
export function shortMiss(logError: number): string {
  if (!Number.isFinite(logError)) return "–";
  if (logError < 1e-5) return "< 0.001%";
  return logError < 0.5 ? percent(Math.expm1(logError)) : `× ${significant(Math.exp(logError))}`;
}
