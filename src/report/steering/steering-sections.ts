import type { GeneratedPiece, GeneratedTexts } from "../../generation/generated-texts.js";
import type { Spread } from "../../measures/context-values.js";
import type { Collateral, EditCheck } from "../../steering/check/check.js";
import { type CheckText, checkTexts } from "../../steering/check/check-texts.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { SteeringRun, WrittenEdit } from "../../steering/steering-run.js";
import { divergenceText } from "../page/divergence-text.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, duration, percent, probability, significant } from "../page/numbers.js";
import { beginText, facts, fileList, madeBy, type Provenance } from "../page/provenance-section.js";
import { tokenLabel } from "../page/token-label.js";
import { visibleText } from "../page/visible-text.js";
import { editName, signedPercent } from "./steering-headline.js";
import { textColours, textNames } from "./steering-texts.js";

/** Edits that the tables and figures show; run.json has all. */
export const SHOWN_EDITS = 200;
const PATH_CHARACTERS = 200;
const PAIRS_SHOWN = 20;
const PAIRS_OPEN = 4;

export function measuredTexts(check: EditCheck): CheckText[] {
  return checkTexts.filter((text) => check[text] !== undefined);
}

export function textLegend(texts: readonly CheckText[], ring = true): Html {
  return html`<div class="legend">${texts.map(
    (text) =>
      html`<span class="key"><span class="swatch" style="background:${textColours[text]}"></span>${textNames[text]}</span>`,
  )}${ring ? html`<span class="key"><span class="swatch ring"></span>a true logit bias</span>` : undefined}</div>`;
}

function figures({ edits }: WrittenEdit["plan"], texts: readonly CheckText[], several: boolean): Html {
  return html`<div class="columns wide-left">
<figure id="ratio-figure">${textLegend(texts)}
<div class="chart" data-label="Actual factor divided by the wanted one, of each edit on each text, with 95% intervals and beside the true logit bias"></div>
<figcaption><b>Actual ÷ wanted factor.</b> 1 is a hit. Bars are 95% intervals (bootstrap over windows of text); rings are the true logit bias, calibrated on the same fitting text as the edit: the best that any edit could do.${
    edits.length > SHOWN_EDITS ? ` The first ${count(SHOWN_EDITS)} edits.` : ""
  }</figcaption>
</figure>
<figure id="scale-figure">
<div class="chart" data-label="Actual against wanted factor of every edit, on logarithmic scales, with the diagonal"></div>
<figcaption><b>Actual against wanted factor</b> on the mean probability, both on logarithmic scales; on the diagonal ${several ? "an edit" : "the edit"} does what was asked.</figcaption>
</figure>
</div>`;
}

export function editSection({ plan, solution, check }: WrittenEdit): Html {
  const texts = measuredTexts(check);
  const several = plan.edits.length > 1;
  const drawn = plan.edits.some((edit) => !isInContext(edit));
  return html`${drawn ? figures(plan, texts, several) : undefined}
${editTable({ plan, solution, check }, texts)}
${
  solution.warnings.length === 0
    ? undefined
    : html`<ul class="note">${solution.warnings.map((warning) => html`<li>Warning: ${visibleText(warning, PATH_CHARACTERS)}</li>`)}</ul>`
}`;
}

function editTable({ plan, solution, check }: Pick<WrittenEdit, "plan" | "solution" | "check">, texts: CheckText[]) {
  const shown = plan.edits.slice(0, SHOWN_EDITS);
  const names = [
    "α before",
    "α after",
    "wanted",
    ...texts.map((text) => textNames[text]),
    "size |x|",
    "KL to the bias",
  ];
  return html`<div class="wide edits-table"><table class="edits cards">
<caption><b>The edits</b> Factors on the mean probability α: wanted, and on each text actual with its 95% interval, beside that of the logit bias.</caption>
<thead><tr><th scope="col">token</th>${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${shown.map((edit, g) => {
    const { probability: p, norms, klToIdeal, klOfIdeal, shortfall } = solution.groups[g]!;
    const cells = [
      probability(p.before),
      probability(p.after),
      factor(p.wanted / p.before),
      ...texts.map((text) => {
        const { scale, interval, idealScale } = check[text]!.groups[g]!;
        if (isInContext(edit)) return html`${factor(scale)}<small>in all contexts</small>`;
        return html`${factor(scale)}<small>${factor(interval.low)} to ${factor(interval.high)}</small><small>bias ${factor(idealScale)}</small>`;
      }),
      significant(Math.hypot(...norms)),
      percent(klToIdeal / klOfIdeal),
    ];
    return html`<tr><td>${editName(edit)}${shortfall === undefined ? undefined : html`<small class="missed">not reached: ${visibleText(shortfall, PATH_CHARACTERS)}</small>`}</td>${cells.map(
      (cell, i) => html`<td class="number" data-name="${names[i]}">${cell}</td>`,
    )}</tr>
`;
  })}</tbody></table></div>
<p class="note">α before and after are on the fitting text. |x| is the length of the change of the row (of all rows of a set). “KL to the bias” is KL(ideal ‖ edited) on the fitting text as a share of KL(original ‖ ideal): how far the edit is from the
logit bias, measured by how far that moves the model. ${moreText(check, shown.length, solution)}${
    plan.edits.length > SHOWN_EDITS
      ? ` ${count(plan.edits.length - SHOWN_EDITS)} more edits are in run.json.`
      : undefined
  }</p>`;
}

/** A token that the fitting text is to hold fewer times than this has too few contexts in it that tell the fit anything. */
const fewTimes = 20;

/** What more text would give, where an edit is of tokens that the fitting text hardly holds. */
function moreText({ fit }: EditCheck, shown: number, { groups }: WrittenEdit["solution"]): string | undefined {
  if (fit === undefined) return undefined;
  const { contexts } = fit.collateral;
  const rare = groups.slice(0, shown).filter(({ probability: { before } }) => before * contexts < fewTimes).length;
  if (rare === 0) return undefined;
  return `${counted(rare, "edit is", "edits are")} of tokens that stand in the ${count(contexts)} contexts fitted on fewer than ${fewTimes} times by their probability: more fitting text (--tokens, --corpus) brings such edits nearer to the logit bias on unseen text. On the embedded model, rare tokens were off by 0.032 and 0.043 beyond it at 40,000 tokens (medians of |ln|, text of the same kind and of another), and by 0.016 and 0.026 at 160,000.`;
}

/** A factor as it stands in a table. */
function factor(value: number): string {
  return Number.isFinite(value) ? significant(value) : "–";
}

export function collateralSection({ check }: WrittenEdit): Html {
  const texts = measuredTexts(check);
  return html`<p>What the edited tokens lose or gain, the others gain or lose in proportion. The divergences are between the original’s and the written model’s distributions, per context, in nats. ${othersKeep(check, texts)}</p>
<div class="columns two">
<div class="wide"><table><caption><b>The edit itself</b> Divergence of the whole distribution</caption>
${spreadRows(check, texts, [
  ["KL(original ‖ edited)", "kl"],
  ["Jensen–Shannon", "js"],
])}</table></div>
<div class="wide"><table><caption><b>Predictions</b></caption>
<thead><tr><th scope="col">text</th><th scope="col" class="number">contexts</th><th scope="col" class="number">same top token</th><th scope="col" class="number">perplexity</th><th scope="col" class="number">after</th><th scope="col" class="number">change</th></tr></thead>
<tbody>${texts.map((text) => {
    const { contexts, top1, perplexity } = check[text]!.collateral;
    return html`<tr><td class="nowrap">${textNames[text]}</td><td class="number">${count(contexts)}</td><td class="number">${percent(top1)}</td><td class="number">${decimal(perplexity.before, 3)}</td><td class="number">${decimal(perplexity.after, 3)}</td><td class="number">${signedPercent(perplexity.after / perplexity.before - 1)}</td></tr>
`;
  })}</tbody></table></div>
</div>
${othersTable(check, texts)}
<h3>Moved without being asked to</h3>
<p>The tokens whose mean probability changed by the largest factor, up or down: those that stand where the edited tokens stood.</p>
<div class="columns three">${texts.map((text) => moverTable(textNames[text], check[text]!.collateral.movers))}</div>`;
}

const othersAlike = (check: EditCheck, texts: readonly CheckText[]): boolean =>
  texts.every((text) => check[text]!.collateral.klOthers.max === 0 && check[text]!.collateral.jsOthers.max === 0);

function othersKeep(check: EditCheck, texts: readonly CheckText[]): string {
  return othersAlike(check, texts)
    ? "All other tokens have the rows that they had, number for number: among one another they keep their proportions in every context, and renormalised without the edited tokens both divergences are 0."
    : "Among one another the other tokens move too, if by the last digits of the logits alone.";
}

/** Where the others are not known to keep their proportions. */
function othersTable(check: EditCheck, texts: readonly CheckText[]): Html | undefined {
  if (othersAlike(check, texts)) return undefined;
  return html`<div class="wide"><table><caption><b>All other tokens</b> Divergence without the edited tokens, renormalised</caption>
${spreadRows(check, texts, [
  ["KL of the others", "klOthers"],
  ["Jensen–Shannon of the others", "jsOthers"],
])}</table></div>`;
}

function spreadRows(
  check: EditCheck,
  texts: readonly CheckText[],
  measures: readonly (readonly [name: string, measure: "kl" | "js" | "klOthers" | "jsOthers"])[],
): Html {
  return html`<thead><tr><th scope="col">measure</th><th scope="col">text</th><th scope="col" class="number">mean</th><th scope="col" class="number">95th %ile</th><th scope="col" class="number">largest</th></tr></thead>
<tbody>${measures.map(([name, measure]) =>
    texts.map((text, i) => spreadRow(i === 0 ? name : "", text, check[text]!.collateral[measure])),
  )}</tbody>`;
}

function spreadRow(name: string, text: CheckText, { mean, percentile95, max }: Spread): Html {
  return html`<tr><td>${name}</td><td class="nowrap">${textNames[text]}</td>${[mean, percentile95, max].map(
    (value) => html`<td class="number">${divergenceText(value)}</td>`,
  )}</tr>
`;
}

function moverTable(title: string, movers: Collateral["movers"]): Html {
  return html`<div class="wide"><table><caption><b>${title}</b></caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">α before</th><th scope="col" class="number">after</th><th scope="col" class="number">change</th></tr></thead>
<tbody>${movers.map(
    ({ id, token, a, b, scale }) =>
      html`<tr><td>${tokenLabel(token, id)}</td><td class="number">${probability(a)}</td><td class="number">${probability(b)}</td><td class="number">${`× ${decimal(scale, 2)}`}</td></tr>
`,
  )}</tbody></table></div>`;
}

export function generatedSection({ plan }: WrittenEdit, { pairs, occurrences, tokens }: GeneratedTexts): Html {
  const shown = pairs.slice(0, PAIRS_SHOWN);
  const more = shown.slice(PAIRS_OPEN);
  return html`<p>From the same prompts (bold) and random numbers: while both models’ distributions agree, so do the texts. The edited tokens are marked.</p>
<div class="occurrences wide"><table><caption><b>How often they occur</b> In ${counted(tokens.before, "token")} generated before and ${count(tokens.after)} after the edit.</caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">before</th><th scope="col" class="number">after</th><th scope="col" class="number">share before</th><th scope="col" class="number">after</th></tr></thead>
<tbody>${plan.edits.slice(0, SHOWN_EDITS).map((edit, g) => {
    const none = Number.NaN;
    const { before, after, rate } = occurrences[g] ?? {
      before: none,
      after: none,
      rate: { before: none, after: none },
    };
    return html`<tr><td>${editName(edit)}</td><td class="number">${count(before)}</td><td class="number">${count(after)}</td><td class="number">${percent(rate.before)}</td><td class="number">${percent(rate.after)}</td></tr>
`;
  })}</tbody></table></div>
${shown.slice(0, PAIRS_OPEN).map(pairOfTexts)}
${more.length === 0 ? undefined : html`<details class="more-texts"><summary>${count(more.length)} more</summary>${more.map(pairOfTexts)}</details>`}`;
}

function pairOfTexts({ prompt, before, after }: GeneratedTexts["pairs"][number]): Html {
  return html`<div class="columns two generated">
<div><h4>before</h4><p><b>${prompt}</b>${before.map(piece)}</p></div>
<div><h4>after</h4><p><b>${prompt}</b>${after.map(piece)}</p></div>
</div>`;
}

function piece({ text, edited }: GeneratedPiece): Html {
  return edited ? html`<mark>${text}</mark>` : html`${text}`;
}

export function steeringMadeSection(run: SteeringRun, provenance: Provenance): Html {
  const { version, date } = provenance;
  const { model, edit } = run;
  return html`${madeBy(provenance)}
<div class="columns three facts">
${facts("Model", [
  ["name", visibleText(model.name, PATH_CHARACTERS)],
  ["architecture", visibleText(model.modelType)],
  ["V × d", `${count(model.vocabSize)} × ${count(model.hiddenSize)}`],
  ["stored as", visibleText(model.dtype)],
  [
    "E was",
    model.tied ? `also the input embedding (tied)${edit ? "; written untied" : ""}` : "the head’s own (untied)",
  ],
  ["written to", edit?.out && visibleText(edit.out, PATH_CHARACTERS)],
])}
${facts("Texts", [
  ...checkTexts.map(
    (text) => [textNames[text], run.texts[text] && fileList(run.texts[text].files)] as [string, Html | undefined],
  ),
  ["context length", counted(run.contextLength, "token")],
  ["begin-of-text", beginText(run.beginOfText)],
])}
${facts("Run", [
  ["method", edit?.plan.method],
  [
    "λ (size)",
    edit && (edit.plan.method === "nearest" || edit.plan.method === "constant")
      ? significant(edit.plan.lambda)
      : undefined,
  ],
  ["calibrated", edit && (edit.plan.calibrate ? "yes" : "no")],
  ["guarded", edit?.plan.method === "nearest" ? ((edit.plan.guard ?? true) ? "yes" : "no") : undefined],
  ["seed", String(run.seed)],
  ["threads", count(run.threads)],
  ["in all", duration(run.seconds)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>
<p class="note"><code>run.json</code> beside this page holds every number${edit ? html`, <code>unembed.json</code> the plan, which <code>unembed steer --plan</code> applies again` : undefined}.</p>`;
}
