import { Command } from "commander";
import { defaultMaxTokens, type GeneratedToken } from "../../generation/generate.js";
import { defaultListed, type NextTokenDistribution, nextTokenDistribution } from "../../generation/next-token.js";
import type { Sampling } from "../../generation/sampling.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import type { Model } from "../../model/model.js";
import { defaultModel, loadModel } from "../../node/load-model.js";
import { counted } from "../../report/page/numbers.js";
import { generationRun, type WrittenText } from "../../runs/generation-run.js";
import { flagOf } from "../options/arguments.js";
import { type BanArguments, banOptions, bansOf, checkBans } from "../options/bans.js";
import { bosOption, type RunArguments, runOptions, seedOption, tokenizerOption } from "../options/common-options.js";
import { engineOptions } from "../options/engine-options.js";
import { hubOptions } from "../options/hub-options.js";
import { nonNegativeNumber, positiveInteger, positiveShare } from "../options/numbers.js";
import {
  chatPrompts,
  checkPrompts,
  type GivenPrompt,
  idSeparator,
  type PromptArguments,
  promptOptions,
  readPrompts,
  shownPrompts,
} from "../options/prompts.js";
import { Interrupted } from "../progress/interrupt.js";
import { type RunLine, runLine } from "../progress/run-line.js";
import { generatedSections, nextTokenTable, shownText } from "../tables/generated-table.js";
import { UsageError } from "../usage-error.js";

interface GenerateArguments extends RunArguments, PromptArguments, BanArguments {
  maxTokens: number;
  temperature: number;
  topK?: number;
  topP: number;
  seed: number;
  n: number;
  bos: BeginOfText;
  chat?: boolean;
  showProbabilities?: number | true;
}

/** Ctrl-C while writing: what was written so far has been printed. */
class GenerationInterrupted extends Interrupted {
  override readonly message = "interrupted; this is what was written so far";
}

const examples = `
Without a seed of your own the same command writes the same text. A text that
fills the model's positions goes on from its last half. With --ban, text is
shown once it can no longer be taken back.

Examples:
  unembed generate --prompt 'It was a dark and'
  unembed generate ./edited --prompt 'She said' --temperature 0.8 --seed 7
  unembed generate ./edited --prompt 'She said' --prompt 'He said' --n 5 --json
  unembed generate gpt2 --prompt 'The capital of France is' --temperature 0
  unembed generate --prompt 'Once upon a' --show-probabilities 10
  unembed generate --prompt - < beginning.txt   the prompt from standard input
  unembed generate ./llama-chat --chat --prompt 'Hello!'
  unembed generate --prompt 'It was' --ban 'as an AI' --ignore-case
  unembed generate --ban '/\\b[A-Z]{4,}\\b/u' --ban-file names.txt
  unembed generate ./without-tokenizer --prompt-ids 1,2,3`;

/** `unembed generate`. */
export function generateCommand(signal: AbortSignal): Command {
  const command = new Command("generate")
    .summary("go on with text, or show what could come next")
    .description(
      "Goes on with prompts, token by token: to the terminal as it is written, or several " +
        "texts side by side. With --show-probabilities, the distribution of the next token.",
    )
    .argument("[model]", "model folder, hub id (org/name), or tiny-books (embedded)", defaultModel);
  promptOptions(command)
    .option("--max-tokens <n>", "tokens to write at most", positiveInteger, defaultMaxTokens)
    .option("--temperature <t>", "what logits are divided by; 0: always the likeliest token", nonNegativeNumber, 1)
    .option("--top-k <k>", "draw from the k likeliest tokens only (default: all)", positiveInteger)
    .option("--top-p <p>", "draw from the likeliest tokens that together have this probability", positiveShare, 1)
    .addOption(seedOption("of the random numbers"))
    .option("--n <n>", "texts for each prompt", positiveInteger, 1)
    .addOption(tokenizerOption())
    .addOption(bosOption("every prompt"))
    .option("--chat", "take each prompt for what a user says, in the words of the model's own chat template")
    .option(
      "--show-probabilities [k]",
      `list the k likeliest next tokens instead (default: ${defaultListed})`,
      positiveInteger,
    );
  banOptions(command);
  return runOptions(command, "no progress, text only")
    .addHelpText("after", examples)
    .action((name: string, args: GenerateArguments, command: Command) => {
      checkPrompts(args);
      checkBans(args, (option) => command.getOptionValueSource(option) === "cli");
      const unused = forTexts.find((option) => command.getOptionValueSource(option) === "cli");
      if (args.showProbabilities !== undefined && unused !== undefined) {
        throw new UsageError(flagOf(unused), "is for writing texts; with --show-probabilities none is written");
      }
      return runGenerate(name, args, signal);
    });
}

const forTexts = ["maxTokens", "seed", "n", "ban", "banFile"] as const;

async function runGenerate(name: string, args: GenerateArguments, signal: AbortSignal): Promise<void> {
  const given = await readPrompts(args, signal);
  const line = runLine(process.stderr, args);
  // Texts are written by all of a model at once.
  const options = {
    ...engineOptions(args, line),
    tokenizer: args.tokenizer,
    maxMemory: Number.POSITIVE_INFINITY,
    ...hubOptions(line, signal),
  };
  const model = await loadModel(name, options).finally(line.stop);
  try {
    const prompts = await shownPrompts(model, args.chat ? await chatPrompts(model, given) : given);
    if (args.showProbabilities !== undefined) await showProbabilities(model, prompts, args);
    else await writeTexts(model, prompts, args, line, signal);
  } finally {
    await model.close();
  }
}

function samplingOf({ temperature, topK, topP }: GenerateArguments): Sampling {
  return { temperature, topK, topP };
}

async function showProbabilities(
  model: Model,
  prompts: readonly GivenPrompt[],
  args: GenerateArguments,
): Promise<void> {
  const listed = args.showProbabilities === true ? defaultListed : args.showProbabilities;
  const found: { given: GivenPrompt; distribution: NextTokenDistribution }[] = [];
  for (const given of prompts) {
    const options = { prompt: given.prompt, listed, beginOfText: args.bos, ...samplingOf(args) };
    found.push({ given, distribution: await nextTokenDistribution(model, options) });
  }
  if (args.json) {
    const shown = found.map(({ given, distribution: { promptTokens, entropy, likeliest } }) => ({
      ...{ prompt: given.shown, ...idsOf(given), promptTokens, entropy, likeliest },
    }));
    console.log(JSON.stringify({ model: model.name, ...samplingOf(args), prompts: shown }));
  } else {
    console.log(found.map(({ given, distribution }) => nextTokenTable(given.shown, distribution)).join("\n\n"));
  }
}

async function writeTexts(
  model: Model,
  given: readonly GivenPrompt[],
  args: GenerateArguments,
  line: RunLine,
  signal: AbortSignal,
): Promise<void> {
  const { maxTokens, seed, n, json = false, quiet = false } = args;
  const prompts = given.map(({ prompt }) => prompt);
  const hasText = await model.hasTokenizer();
  const bans = await bansOf(args);
  const streams = prompts.length === 1 && n === 1 && !json;
  const stream = streams ? textStream(given[0]!.shown, hasText) : undefined;
  const { texts, interrupted, tokens, seconds } = await generationRun(model, {
    ...{ prompts, maxTokens, seed, n, beginOfText: args.bos, signal, ...samplingOf(args), ...bans },
    onToken: stream?.write,
    onEvent: stream ? undefined : line.onEvent,
  })
    .catch((error) => {
      stream?.end();
      throw error;
    })
    .finally(line.stop);
  stream?.end(texts[0]!);
  if (json) {
    const shown = texts.map((text) => ({
      ...text,
      promptText: given[text.prompt]!.shown,
      ...idsOf(given[text.prompt]!),
    }));
    console.log(JSON.stringify({ model: model.name, maxTokens, ...samplingOf(args), seed, texts: shown, seconds }));
  } else if (!streams) {
    const written = texts.map((text) => (hasText ? text : { ...text, text: withSeparators(text.ids) }));
    console.log(
      generatedSections(
        given.map(({ shown }) => shown),
        written,
      ),
    );
  }
  if (interrupted) throw new GenerationInterrupted();
  if (!quiet && !json)
    console.error(
      `${counted(tokens, "token")}, ${(tokens / seconds).toFixed(1)} tokens/s${withdrawnNote(texts)}${restartNote(model, texts)}`,
    );
  if (!quiet) for (const note of bannedNotes(texts, args)) console.error(note);
}

/** One text, printed as it is written. Nothing before its first token: what cannot be used is refused before. */
function textStream(prompt: string, hasText: boolean) {
  const pieces: string[] = [];
  return {
    write({ id, text }: GeneratedToken) {
      if (pieces.length === 0) process.stdout.write(shownText(prompt));
      pieces.push(text);
      process.stdout.write(hasText ? shownText(text) : `${idSeparator}${id}`);
    },
    /** @param written the text, if it is known: bytes that make no character come at its end, and it may be empty */
    end(written?: WrittenText) {
      if (pieces.length === 0 && written?.finish === "banned") process.stdout.write(shownText(prompt));
      if (pieces.length === 0 && written?.finish !== "banned") return;
      process.stdout.write(`${shownText((written?.text ?? "").slice(pieces.join("").length))}\n`);
    },
  };
}

/** As JSON says it of a prompt that was given as ids. */
function idsOf({ prompt }: GivenPrompt): { promptIds?: readonly number[] } {
  return typeof prompt === "string" ? {} : { promptIds: prompt };
}

function withSeparators(ids: readonly number[]): string {
  return ids.map((id) => `${idSeparator}${id}`).join("");
}

function withdrawnNote(texts: readonly WrittenText[]): string {
  const withdrawn = texts.reduce((sum, text) => sum + (text.withdrawn ?? 0), 0);
  return withdrawn === 0 ? "" : `; ${counted(withdrawn, "token")} withdrawn`;
}

/** Which texts ended since nothing may follow. */
function bannedNotes(texts: readonly WrittenText[], { banMethod, banTries }: GenerateArguments): string[] {
  const ended = texts.flatMap(({ finish }, index) => (finish === "banned" ? [index + 1] : []));
  if (ended.length === 0) return [];
  const which = texts.length === 1 ? "the text" : `${ended.length} of ${texts.length} texts (${ended.join(", ")})`;
  return banMethod === "reject"
    ? [`gave up ${which}: each of ${counted(banTries, "try", "tries")} said something banned`]
    : [`ended ${which} early: all that could follow is banned`];
}

function restartNote({ maxPositions }: Model, texts: readonly WrittenText[]): string {
  const restarted = texts.filter(({ restarts }) => restarts > 0).length;
  if (restarted === 0) return "";
  const which = texts.length === 1 ? "the text" : `${restarted} of ${texts.length} texts`;
  return `; ${which} filled the model's ${maxPositions} positions and went on from the last half`;
}
