import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { InputError } from "../../errors.js";
import { createExplorer } from "../../explore/explorer.js";
import { firstView } from "../../explore/first-view.js";
import { serveExplorer } from "../../node/explore/explore-server.js";
import { type NodeHostOptions, nodeHost } from "../../node/explore/host.js";
import { checkWritable } from "../../node/files/check-writable.js";
import { defaultModel } from "../../node/load-model.js";
import { corpusOption, type RunArguments, runOptions } from "../options/common-options.js";
import { integerUpTo, wholeNumber } from "../options/numbers.js";
import { type ReadingArguments, readingOf, readingOptions } from "../options/text-options.js";
import { Interrupted } from "../progress/interrupt.js";

interface ExploreArguments extends ReadingArguments, RunArguments {
  corpus?: string[];
  port?: number;
  open: boolean;
  host?: string;
  allowWrite?: string;
}

const examples = `
Examples:
  unembed explore                           the embedded model and text
  unembed explore ./my-model --corpus 'texts/*.txt' --allow-write taken-home
  unembed explore runs/analyze-tiny-books   a finished run, as it was

Only browsers of this machine can reach the page, unless --host is given.`;

/** `unembed explore`. */
export function exploreCommand(signal: AbortSignal): Command {
  const command = new Command("explore")
    .summary("open a page to look at a model, turn the knobs and watch its text change")
    .description("Serves the explorer to a browser of this machine and opens it; computes here, with all cores.")
    .argument(
      "[model]",
      "model folder, GGUF file, hub id, tiny-books (embedded), or the folder of a finished run",
      defaultModel,
    )
    .addOption(corpusOption("text to read: files, folders, globs (default: embedded text)"));
  readingOptions(command)
    .option(
      "--port <n>",
      "where to serve (default: a free port)",
      integerUpTo(65_535, wholeNumber, "ports go up to 65535."),
    )
    .option("--no-open", "only print the address")
    .option(
      "--host <address>",
      "an address of this machine that others can reach; the page then needs the token in its address",
    )
    .option("--allow-write <folder>", "also write what is taken home into this folder");
  return runOptions(command, "nothing but the address")
    .addHelpText("after", examples)
    .action((model: string, args: ExploreArguments) => runExplore(model, args, signal));
}

/** Ctrl-C is how the explorer is ended. */
class ExploreEnded extends Interrupted {
  override readonly message = "ended; what was not taken home is gone";
}

async function runExplore(model: string, args: ExploreArguments, signal: AbortSignal): Promise<void> {
  // Before a page is opened that could only say so.
  if (/^(?:[.~]|[/\\]|[a-z]:[/\\])/i.test(model) && !existsSync(model)) throw new InputError(model, "does not exist");
  const writeTo = args.allowWrite === undefined ? undefined : resolve(args.allowWrite);
  if (writeTo !== undefined) await checkWritable(writeTo);
  const run = isRunFolder(model);
  const explorer = createExplorer(nodeHost(hostOptions(model, run, args, writeTo)));
  const served = await serveExplorer(explorer, { port: args.port, host: args.host });
  console.log(args.json ? JSON.stringify({ url: served.url }) : served.url);
  if (args.host !== undefined) {
    console.error(
      `unembed: others who reach ${args.host} can open this page with the token in its address; it is not encrypted`,
    );
  }
  if (run) explorer.send({ type: "open-run", name: model });
  else openFirst(explorer, model, args);
  if (args.open) openBrowser(served.url);
  try {
    await new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(new ExploreEnded()), { once: true }),
    );
  } finally {
    await served.close();
    await explorer.close();
  }
}

function hostOptions(
  model: string,
  run: boolean,
  args: ExploreArguments,
  writeTo: string | undefined,
): NodeHostOptions {
  const text = args.corpus;
  return {
    models: run || model === defaultModel ? [] : [model],
    runs: run ? [model] : [],
    texts: text === undefined ? {} : { [text.map((path) => basename(path)).join(", ")]: text },
    corpus: readingOf(args),
    series: [],
    hub: true,
    threads: args.threads,
    ...(writeTo !== undefined && { writeTo }),
  };
}

/** The model and the text that were asked for; the embedded one has a slider to begin with. */
function openFirst(explorer: ReturnType<typeof createExplorer>, model: string, { corpus }: ExploreArguments): void {
  const names = explorer.state.offered.texts;
  const text = corpus === undefined ? names[0] : names.at(-1);
  if (model === defaultModel) {
    for (const action of firstView(text)) explorer.send(action);
    return;
  }
  explorer.send({ type: "open-model", model: { kind: "offered", name: model } });
  if (text !== undefined) explorer.send({ type: "open-text", text: { kind: "offered", name: text } });
  explorer.send({ type: "go", room: "steer" });
}

function isRunFolder(path: string): boolean {
  return existsSync(join(path, "run.json")) && statSync(join(path, "run.json")).isFile();
}

/** Opens the address as the desktop does; where there is none, the address that was printed has to do. */
function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  spawn(program!, args, { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}
