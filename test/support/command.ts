import { spawn } from "node:child_process";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

/** What a command line printed and how it ended. */
export interface CommandResult {
  /** Of a process that a signal ended: null. */
  code: number | null;
  stdout: string;
  stderr: string;
}

interface CommandOptions {
  /** Text on standard input. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

interface ProcessOptions extends CommandOptions {
  /** Told of all that was printed so far each time that something is; Ctrl-C comes when it first says so. */
  readonly interruptWhen?: (printed: Readonly<CommandResult>) => boolean;
  /** Milliseconds between that and Ctrl-C. Default 0. */
  readonly interruptAfter?: number;
}

type Main = typeof import("../../src/cli/main.js").main;
let main: Promise<Main> | undefined;

const load = (file: string) => import(pathToFileURL(join(process.cwd(), file)).href);

/** The command line as it is built, from sources as they are: its engine's worker threads run from there too. */
async function loadMain(): Promise<Main> {
  (await load("scripts/setup.js")).setup();
  return (await load("dist/cli/main.js")).main;
}

/**
 * Runs the command line in this process, with the streams of a pipe and no terminal: no Node to start, no code to load
 * and compile anew. One at a time. Where signals or the process's own end matter, `unembedProcess` is for that.
 */
export async function unembed(
  args: readonly string[],
  { input = "", environment = {} }: CommandOptions = {},
): Promise<CommandResult> {
  main ??= loadMain();
  const run = await main;
  const result: CommandResult = { code: null, stdout: "", stderr: "" };
  const restore = [
    takeOver(process.stdout, "write", writeInto(result, "stdout")),
    takeOver(process.stderr, "write", writeInto(result, "stderr")),
    // The test runner's console has streams of its own.
    takeOver(console, "log", printInto(result, "stdout")),
    takeOver(console, "error", printInto(result, "stderr")),
    takeOver(process, "stdin", Readable.from(input === "" ? [] : [Buffer.from(input)])),
    ...Object.entries(environment).map(([name, value]) => takeOver(process.env, name, value)),
  ];
  try {
    const code = await run(args);
    return { ...result, code };
  } finally {
    for (const undo of restore) undo();
  }
}

/** Runs the command line as a user would, in a process of its own. */
export function unembedProcess(
  args: readonly string[],
  { input = "", environment = {}, interruptWhen, interruptAfter = 0 }: ProcessOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["bin/unembed.js", ...args], {
      stdio: "pipe",
      env: { ...process.env, ...environment },
    });
    const result: CommandResult = { code: null, stdout: "", stderr: "" };
    let interrupted = false;
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        result[stream] += text;
        if (interrupted || !interruptWhen?.(result)) return;
        interrupted = true;
        setTimeout(() => child.kill("SIGINT"), interruptAfter);
      });
    }
    child.on("close", (code) => resolve({ ...result, code }));
    child.stdin.on("error", () => {}).end(input);
  });
}

function writeInto(result: CommandResult, stream: "stdout" | "stderr") {
  return (chunk: string | Uint8Array, ...rest: unknown[]) => {
    result[stream] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
}

function printInto(result: CommandResult, stream: "stdout" | "stderr") {
  return (...values: unknown[]) => {
    result[stream] += `${format(...values)}\n`;
  };
}

/** Puts another value in a property's place. @returns what puts the old one back */
function takeOver<T extends object>(owner: T, key: keyof T, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true, enumerable: true });
  return () => {
    if (before === undefined) delete owner[key];
    else Object.defineProperty(owner, key, before);
  };
}
