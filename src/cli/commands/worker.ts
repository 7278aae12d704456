import { Command, Option } from "commander";
import { allowedNames } from "../../node/queue/allowed.js";
import { parseQueueUrl } from "../../node/queue/connection.js";
import { defaultStalledSeconds, work } from "../../node/queue/work.js";
import { collectedTexts, type PrintArguments, printOptions, threadsOption } from "../options/common-options.js";
import { integerUpTo, positiveInteger } from "../options/numbers.js";

interface WorkerArguments extends PrintArguments {
  queue: string;
  concurrency: number;
  allow?: string[];
  threads?: number;
  stalled: number;
}

const maxConcurrency = 64;
const maxStalledSeconds = 3600;

const examples = `
Examples:
  unembed worker --queue redis://host:6379 --allow /shared
      models, texts and parts below /shared
  unembed worker --queue rediss://host:6379 --allow /shared --allow openai-community/gpt2
      a model of the hub too; UNEMBED_QUEUE_PASSWORD holds the password

Start as many as there are machines, any time; Ctrl-C ends one, and its part goes to another.`;

/** `unembed worker`. */
export function workerCommand(signal: AbortSignal): Command {
  const command = new Command("worker")
    .summary("compute parts of analyses that others put into a queue")
    .description(
      "Takes parts from the queue of unembed analyze --queue until it is stopped. It opens and writes only what is allowed: " +
        "without --allow, what lies in the folder that it is started in.",
    )
    .requiredOption("--queue <url>", "redis://host:6379, or rediss:// for TLS")
    .addOption(
      new Option("--concurrency <n>", "parts at the same time")
        .argParser(integerUpTo(maxConcurrency, positiveInteger, `at most ${maxConcurrency} are possible.`))
        .default(1),
    )
    .addOption(
      new Option(
        "--allow <name>",
        "a folder, or a model's id, that jobs may name; may be given several times",
      ).argParser(collectedTexts),
    )
    .addOption(
      new Option("--stalled <seconds>", "take over parts of workers that were not heard of for so long")
        .argParser(integerUpTo(maxStalledSeconds, positiveInteger, `at most ${maxStalledSeconds} are possible.`))
        .default(defaultStalledSeconds),
    )
    .addOption(threadsOption());
  return printOptions(command, "nothing but errors")
    .addHelpText("after", examples)
    .action((args: WorkerArguments) => runWorker(args, signal));
}

async function runWorker(args: WorkerArguments, signal: AbortSignal): Promise<void> {
  const server = parseQueueUrl(args.queue);
  const say = (text: string) => {
    if (!args.quiet) console.error(text);
  };
  await work({
    ...{ server, signal, concurrency: args.concurrency, threads: args.threads, stalledSeconds: args.stalled },
    allowed: allowedNames(args.allow ?? [process.cwd()]),
    onReady: () => say(`waiting for parts at ${server.shown}`),
    onPart(part) {
      const { path, parts, contexts, found } = part;
      if (args.json) console.log(JSON.stringify(part));
      else
        say(
          `part ${part.part} of ${parts}, ${contexts.toLocaleString("en")} tokens: ${path}${found ? " (was there)" : ""}`,
        );
    },
    onNotice: say,
  });
  throw signal.reason;
}
