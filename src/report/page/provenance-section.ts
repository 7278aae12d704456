import type { Analysis } from "../../encoding/analysis.js";
import { type Html, html } from "./html.js";
import { bytes, count, counted, decimal, duration, significant } from "./numbers.js";
import { visibleText } from "./visible-text.js";

/** What was asked and with what, for the "how it was made" section. */
export interface Provenance {
  /** The command line. */
  command?: string;
  /** unembed's own version. */
  version?: string;
  /** When, as it should be shown. */
  date?: string;
}

/** Files listed by name; a corpus of thousands would drown the rest. */
const LISTED_FILES = 12;
/** A path longer than this is cut. */
const PATH_CHARACTERS = 200;
const COMMAND_CHARACTERS = 2000;

export function provenanceSection(analysis: Analysis, provenance: Provenance): Html {
  const { version, date } = provenance;
  return html`${madeBy(provenance)}
<div class="columns three facts">
${facts("Model", modelFacts(analysis))}
${facts("Text", textFacts(analysis.corpus))}
${facts("Run", [...runFacts(analysis), ["version", version && visibleText(version)], ["date", date && visibleText(date)]])}
</div>
<details><summary>The regression in full</summary>
${facts("", regressionFacts(analysis.encoding))}
</details>
<h3>Go on from here</h3>
<p>The numbers behind this page lie beside it in <code>tensors.safetensors</code>. In Python (<code>pip install safetensors numpy</code>), one line loads them:</p>
<pre><code>from safetensors.numpy import load_file; run = load_file("tensors.safetensors"); print({k: v.shape for k, v in run.items()})</code></pre>
<p class="note">Keys: <code>mean_probability</code> (α) and <code>token_counts</code>, [V]; <code>slopes</code> (A), <code>standard_errors</code>, <code>t_values</code>, <code>p_values</code> and <code>mean_hidden</code>, [d];
<code>second_moment</code> (mean of h h′), [d, d]. All float64 and in the order of the model’s own ids and dimensions. <code>run.json</code> holds the numbers.</p>`;
}

/** The command line, where it is known. */
export function madeBy({ command, version }: Provenance): Html | undefined {
  if (command === undefined) return undefined;
  return html`<p>Made by${version === undefined ? "" : ` unembed ${visibleText(version)},`} with</p>
<pre class="command"><code>${visibleText(command, COMMAND_CHARACTERS)}</code></pre>`;
}

export type Fact = [name: string, value: string | Html | undefined];

/** A list of names and values. */
export function facts(title: string, list: Fact[]): Html {
  return html`<div>${title && html`<h4>${title}</h4>`}<dl class="facts">${list
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>`;
}

function modelFacts({ model }: Analysis): Fact[] {
  return [
    ["name", visibleText(model.name, PATH_CHARACTERS)],
    ["architecture", visibleText(model.modelType)],
    ["outputs V", count(model.vocabSize)],
    ["hidden size d", count(model.hiddenSize)],
    ["stored as", visibleText(model.dtype)],
    ["E is", model.tied ? "also the input embedding (tied)" : "the head's own (untied)"],
    ["output bias", model.hasOutputBias ? "yes" : "none"],
    ["padding rows", model.paddingRows === 0 ? "none" : `${count(model.paddingRows)}, left out`],
  ];
}

/** Whether a text's windows begin with the begin-of-text token. */
export function beginText(beginOfText: boolean): string {
  return beginOfText ? "before every window" : "not added";
}

/** The first files of a corpus, and how many more there are. */
export function fileList(files: Analysis["corpus"]["files"]): Html {
  const more = files.length - LISTED_FILES;
  return html`<ul>${files
    .slice(0, LISTED_FILES)
    .map((file) => html`<li>${visibleText(file.name, PATH_CHARACTERS)} <small>${bytes(file.bytes)}</small></li>`)}${
    more > 0 ? html`<li>and ${count(more)} more</li>` : undefined
  }</ul>`;
}

export function textFacts({ files, contextLength, windows, contexts, beginOfText }: Analysis["corpus"]): Fact[] {
  return [
    [files.length === 1 ? "file" : `${count(files.length)} files`, fileList(files)],
    ...(contextLength === undefined || windows === undefined
      ? ([["held", "hidden states, computed elsewhere"]] satisfies Fact[])
      : ([
          ["context length", counted(contextLength, "token")],
          ["windows", `${count(windows)}, each independent`],
          ["begin-of-text", beginText(beginOfText)],
        ] satisfies Fact[])),
    ["contexts averaged", count(contexts)],
  ];
}

function runFacts({ seed, threads, seconds, tokensPerSecond }: Analysis): Fact[] {
  return [
    ["seed", String(seed)],
    ["threads", count(threads)],
    ["pass over the text", seconds.pass === undefined ? "made elsewhere" : duration(seconds.pass)],
    ["in all", duration(seconds.total)],
    ...(tokensPerSecond === undefined ? [] : [["speed", `${count(tokensPerSecond)} tokens/s`] satisfies Fact]),
  ];
}

function regressionFacts(encoding: Analysis["encoding"]): Fact[] {
  const { degreesOfFreedom, fPValue, fStatistic } = encoding;
  return [
    ["tokens regressed on", count(encoding.tokenIds.length)],
    ["R²", decimal(encoding.r2, 6)],
    ["adjusted R²", decimal(encoding.adjustedR2, 6)],
    ["cross-validated R²", `${decimal(encoding.crossValidatedR2, 6)} (10 folds, token w in fold w mod 10)`],
    ["Spearman ρ", decimal(encoding.spearman, 6)],
    ["residual standard error", `${decimal(encoding.residualStandardError, 6)} nats`],
    ["intercept B", `${decimal(encoding.intercept, 6)} ± ${decimal(encoding.interceptStandardError, 6)} nats`],
    [
      "F",
      `${significant(fStatistic)} on ${count(degreesOfFreedom.model)} and ${count(degreesOfFreedom.residual)} degrees of freedom, p ${
        fPValue === 0 ? "< 10⁻³⁰⁰" : `= ${significant(fPValue)}`
      }`,
    ],
    ["rank of the centred E", count(encoding.rank)],
    ["condition number", significant(encoding.conditionNumber)],
  ];
}
