import type { Room, TakeHome } from "../explore/actions.js";
import {
  bytes,
  count,
  counted,
  decimal,
  duration,
  percent,
  probability,
  significant,
  times,
} from "../report/page/numbers.js";
import { visibleToken } from "../report/page/visible-text.js";

/* Everything that the page says. */

/** A factor on a probability, in words. */
const factor = (value: number) => times(value, "likelier", "rarer");

/** What a slider's position means. */
export function positionText(position: number | "ban"): string {
  if (position === "ban") return "banned";
  return Math.abs(Math.log10(position)) < 0.0022 ? "as it is" : factor(position);
}

export const strings = {
  title: "unembed explorer",
  rooms: {
    open: "Open",
    read: "Read",
    steer: "Steer",
    shrink: "Shrink",
    trim: "Trim",
    watch: "Watch",
    compare: "Compare",
    home: "Take home",
  } satisfies Record<Room, string>,
  roomsLabel: "Parts",
  skip: "To the content",
  lightTheme: "Light theme",
  darkTheme: "Dark theme",
  undo: "Undo",
  redo: "Redo",
  copyLink: "Copy link",
  copied: "Copied",
  stop: "Stop",
  dismiss: "Close",
  connectionLost: "The program behind this page does not answer. Is it still running? Trying again …",
  opening: "Opening …",
  primer:
    "A language model ends in one large table, the output embedding E: a row of numbers for every token it can say. " +
    "How likely a token is on average can be read off its row, and changed there: move a slider, and the table is rewritten.",
  task: (label: string, done: string) => (done === "" ? `${label} …` : `${label}, ${done}`),
  progress: (done: number, total: number | null, unit: "bytes" | "tokens" | "steps" | null) => {
    const say = (value: number) => (unit === "bytes" ? bytes(value) : count(value));
    if (unit === null) return "";
    return total === null ? `${say(done)}` : `${say(done)} of ${say(total)}${unit === "bytes" ? "" : ` ${unit}`}`;
  },
  modelLine: (name: string, modelType: string, vocabSize: number, hiddenSize: number) =>
    `${name} (${modelType}): ${count(vocabSize)} tokens, ${count(hiddenSize)} numbers a row`,
  textLine: (name: string, contexts: number, complete: boolean) =>
    `${name}: ${counted(contexts, "context")}${complete ? "" : " so far"}`,
  noModel: "No model is open.",
  noText: "No text has been read yet.",
  openFirst: "Open a model first.",
  readFirst: "Have a text read first: all averages are taken over it.",
  open: {
    heading: "Open a model and a text",
    model: "Model",
    embedded: "the small model that comes with unembed",
    openEmbedded: "Open it",
    hub: "From the Hugging Face hub",
    hubHint: "org/name, or org/name@revision",
    hubOpen: "Look up",
    drop: "Drop a model folder or file here, or a text",
    dropHint:
      "safetensors, PyTorch or GGUF with config.json and tokenizer.json; .txt or .jsonl. Nothing leaves this machine.",
    chooseFiles: "Choose files",
    chooseFolder: "Choose a folder",
    dropped: (name: string, holds: "model" | "text", size: number) => `${name} (${holds}, ${bytes(size)})`,
    offered: "Open here",
    download: (name: string, size: number) => `${name} needs ${bytes(size)} from the hub.`,
    downloadFile: (name: string, size: number, cached: boolean) =>
      `${name}, ${bytes(size)}${cached ? " (here already)" : ""}`,
    accept: "Fetch it",
    decline: "Leave it",
    text: "Text",
    textHint:
      "Averages are taken over what the model would say next at every place of it. A few thousand words are enough.",
    own: "Or paste your own",
    readOwn: "Read it",
    tokens: "Tokens to read at most",
    runs: "Finished runs",
  },
  read: {
    heading: "What the table says",
    fitTitle: "Every token's average probability, true and read off its row",
    fitCaption:
      "A point is a token. Across: how improbable it is on average over the text. Up: what one common formula, −log α ≈ A · E + B, " +
      "reads off its row. On the line, the row tells all.",
    mapTitle: "Map of the rows",
    mapCaption:
      "The rows of all tokens, seen from the two directions in which they differ most. Coloured from the rarest token to the likeliest.",
    saliencyTitle: "Which of the numbers carry it",
    saliencyCaption:
      "How much each of the row's numbers tells of the probability, most telling first. Few do most of the work.",
    refitTitle: "How few are enough",
    refitCaption: "How well the formula does with the k most telling numbers, against k random ones.",
    search: "Find a token",
    searchHint: "text, or #id",
    worst: "Missed by most",
    best: "Hit best",
    theory: "Without any fitting",
    theoryText: (meanField: number, secondOrder: number) =>
      `A formula from the model's own averages, nothing fitted, explains R² = ${decimal(secondOrder, 3)} (to first order ${decimal(meanField, 3)}).`,
    prior: (r2: number, spearman: number) =>
      `What the last layer's bias alone says of each token (its built-in prior): R² = ${decimal(r2, 3)}, rank correlation ${decimal(spearman, 3)}.`,
    tiles: {
      r2: "explained (R²)",
      cross: "on unseen tokens",
      spearman: "rank correlation",
      gini: "Gini of the numbers",
      entropy: "entropy, nats",
      top1: "likeliest token",
    },
    fillsWhileRunning: "The figures fill while the text is read.",
    tokenLine: (observed: number, fitted: number) =>
      `α ${probability(Math.exp(-observed))}, ${factor(Math.exp(fitted - observed))} than fitted`,
  },
  token: {
    heading: (text: string) => `Token ${visibleToken(text)}`,
    close: "Close",
    facts: {
      probability: "average probability",
      fitted: "read off its row",
      frequency: "share of the text",
      prior: "built-in prior says",
    },
    steer: "Steer it",
    contributions: "What each number of its row adds to −log α",
    contributionsCaption: (base: number) =>
      `Nats beside the average token's ${decimal(base, 2)}: below zero makes it likelier. The largest 40.`,
    dimension: (index: number) => `number ${index}`,
    neighbours: "Nearest rows",
    cosine: (value: number) => decimal(value, 3),
    passages: "Where it was likeliest in the text",
    passage: (value: number, hit: boolean) => `${percent(value)}${hit ? ", and it came" : ""}`,
    none: "–",
  },
  steer: {
    heading: "Make a token rarer or likelier",
    prompt: "Prompt",
    nextTitle: "What comes next",
    nextCaption: (kl: number) => `Bars: before and after. KL divergence ${significant(kl)} nats.`,
    before: "before",
    after: "after",
    addLabel: "Token, set or pattern",
    addHint: "a word with its space, “ the”; a pattern, /^ sh(e|ip)$/; @forms:lord, @emoji, @script:Han",
    add: "Add a slider",
    chip: (text: string) => `Add a slider for ${visibleToken(text)}`,
    remove: (selector: string) => `Remove ${visibleToken(selector)}`,
    slider: (selector: string) => `How likely ${visibleToken(selector)} is`,
    ban: "Ban",
    rarer: "1000× rarer",
    same: "as it is",
    likelier: "1000× likelier",
    tokens: (texts: readonly string[], total: number) =>
      total === 0
        ? ""
        : `${texts.slice(0, 6).map(visibleToken).join(" ")}${total > 6 ? ` and ${count(total - 6)} more` : ""}`,
    mean: (before: number, after: number) => `average ${probability(before)} → ${probability(after)}`,
    meanBefore: (before: number) => `average ${probability(before)}`,
    preparing: "The slider follows as soon as the text is read.",
    solving: "Finding the exact edit …",
    exact: (size: number) => `exact; its rows changed by ${percent(size)} of their length`,
    bound: (value: number) => `never above ${probability(value)} in any context tried`,
    numbers: "What else it does",
    tiles: {
      kl: "KL, mean over the text",
      js: "JS divergence",
      top1: "likeliest token the same",
      perplexity: "perplexity",
      size: "size of the change",
    },
    perplexity: (before: number, after: number) => `${decimal(before, 2)} → ${decimal(after, 2)}`,
    moved: "Other tokens that moved most",
    method: "Method",
    methodNames: {
      nearest: "nearest: change the rest least",
      constant: "constant direction",
      encoding: "along the formula's slopes",
      salient: "its most telling numbers only",
      mean: "along the mean of h",
    },
    methods: "Compare the methods",
    methodsTable: { method: "method", reached: "of the target reached", size: "size", kl: "KL to the ideal" },
    write: "Write text with both",
    writeTitle: "The same dice, before and after",
    writeHint: "Both texts are drawn with the same random numbers; edited tokens are marked.",
    seed: "Seed",
    length: "Tokens",
    temperature: "Temperature",
    examples: "For instance",
  },
  shrink: {
    heading: "Use fewer numbers of each row",
    lead: "The last product multiplies with every number of every row. Directions that say least can be deleted, and the likeliest tokens rescored exactly.",
    kept: "Directions kept",
    rescore: "Likeliest tokens rescored",
    keptText: (kept: number, max: number) => `${count(kept)} of ${count(max)}`,
    rescoreText: (value: number) => (value === 0 ? "none" : count(value)),
    tiles: {
      kl: "KL, nats",
      top1: "likeliest token the same",
      perplexity: "perplexity",
      bytes: "size of the table",
      multiplications: "multiplications a token",
    },
    change: (before: string, after: string) => `${before} → ${after}`,
    curve: "What it costs at every size",
    curveCaption: "KL divergence against the share of directions deleted. The ring is where you are.",
    write: "Write text with both",
    reset: "Whole table",
  },
  trim: {
    heading: "Drop tokens that are never used",
    lead: "Rows of tokens that neither the model says nor the text holds can go; the tokenizer is rewritten to match.",
    size: "Tokens kept at most",
    reset: "All tokens",
    facts: (kept: number, mass: number, ofText: number) =>
      `${count(kept)} tokens stay. The others have ${probability(mass)} of the output and ${probability(ofText)} of the text.`,
    curve: "What goes with the rest",
    curveCaption:
      "Share of the output (line) and of the text (dashes) that all other tokens have, against how many stay.",
    goes: "The most used of those that go",
    columns: { token: "token", probability: "average probability", count: "in the text" },
  },
  watch: {
    heading: "Watch the code form",
    lead: "Checkpoints of a training run: how well token frequency can be read off the table at each of them.",
    series: "Training run",
    hubHint: "org/name@step{0,512,1000}",
    open: "Open it",
    step: "Step",
    stepText: (step: number) => `step ${count(step)}`,
    trajectory: "How well frequency is written in E, step by step",
    tiles: {
      r2: "R² of frequency on E",
      cross: "cross-validated",
      spearman: "rank correlation",
      gini: "Gini of the numbers",
    },
  },
  compare: {
    heading: "Compare with another model",
    lead: "Two models of one vocabulary on the same text: how far apart they are, and which tokens differ most.",
    other: "Other model",
    go: "Compare",
    tiles: { kl: "KL(A ‖ B), nats", js: "JS, nats", top1: "likeliest token the same", perplexity: "perplexity A → B" },
    movers: "Tokens that differ most",
    cloud: "Every token under both",
    cloudCaption: "Across: how improbable a token is under A. Up: under B.",
    columns: { token: "token", a: "under A", b: "under B", scale: "B against A" },
  },
  home: {
    heading: "Take it home",
    lead: "What you see as files: the changed model, the plan that repeats it, and the numbers.",
    names: {
      head: "Changed table (safetensors)",
      model: "Whole model (safetensors)",
      gguf: "Whole model (GGUF)",
      "edit-plan": "Plan of the edits",
      "reduction-plan": "Plan of the smaller table",
      "trim-plan": "Plan of the smaller vocabulary",
      "tokens-csv": "All tokens (CSV)",
      "edits-csv": "What the edits did (CSV)",
      "curve-csv": "Curve of sizes (CSV)",
      "figures-json": "Numbers of all figures (JSON)",
    } satisfies Record<TakeHome, string>,
    command: "The same from the command line",
    copy: "Copy",
    kept: "Kept",
    keep: "Keep this view",
    keepName: "Name",
    show: "Show",
    forget: "Forget",
    loadPlan: "Open a plan",
    nothing: "Nothing yet: open a model, and change something.",
    writesTo: (folder: string) => `Files are also written to ${folder}.`,
    figures: "Figures can be saved beside each of them, as SVG and PNG.",
  },
  embed: {
    line: (model: string, contexts: number, r2: string) => `${model} · ${count(contexts)} contexts · R² = ${r2}`,
    problem: (source: string, why: string) => `The run ${source} cannot be shown: ${why}`,
  },
  chart: { svg: "SVG", png: "PNG", save: (title: string, kind: string) => `Save “${title}” as ${kind}` },
  seconds: duration,
  problemTitle: "That did not work",
  documentation: "Documentation",
  footer:
    "Method: Cho, Sakai, Tanaka, Kato and Inoue, Understanding Token Probability Encoding in Output Embeddings, COLING 2025 (arXiv 2406.01468).",
} as const;
