import { Command, CommanderError } from "commander";
import { InputError } from "../errors.js";
import { version } from "../node/version.js";
import { analyzeCommand } from "./commands/analyze.js";
import { compareCommand } from "./commands/compare.js";
import { countCommand } from "./commands/count.js";
import { devicesCommand } from "./commands/devices.js";
import { dynamicsCommand } from "./commands/dynamics.js";
import { exploreCommand } from "./commands/explore.js";
import { exportCommand } from "./commands/export.js";
import { generateCommand } from "./commands/generate.js";
import { reduceCommand } from "./commands/reduce.js";
import { steerCommand } from "./commands/steer.js";
import { tokenizeCommand } from "./commands/tokenize.js";
import { trimCommand } from "./commands/trim.js";
import { workerCommand } from "./commands/worker.js";
import { bareBos } from "./options/bare-bos.js";
import { swallowedModel } from "./options/swallowed-model.js";
import { Interrupted, untilInterrupted } from "./progress/interrupt.js";
import { shownError } from "./shown-error.js";
import { TargetMissed } from "./target-missed.js";
import { UsageError } from "./usage-error.js";

/** Exit codes: all went well, it failed, the command line made no sense, done but a target was missed, Ctrl-C. */
const exitCodes = { ok: 0, failure: 1, usage: 2, targetMissed: 3, interrupted: 130 } as const;

/** Runs one command line. @param args without node and the script's name @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  // Never taken off: the error comes when everything else is done.
  if (!process.stdout.listeners("error").includes(endAtClosedPipe)) process.stdout.on("error", endAtClosedPipe);
  const interrupt = untilInterrupted();
  const program = programOf(interrupt.signal);
  try {
    await program.parseAsync(bareBos(args), { from: "user" });
    return exitCodes.ok;
  } catch (failure) {
    // What was ended in the middle fails in its own way.
    const error = interrupt.signal.aborted && !(failure instanceof Interrupted) ? interrupt.signal.reason : failure;
    if (error instanceof CommanderError) return exitCodeOf(error, program, args);
    if (error instanceof InputError) {
      console.error(`unembed: ${shownError(error, commandOf(program, args), args)}`);
      return exitCodes.failure;
    }
    console.error(...described(error));
    if (error instanceof UsageError) return exitCodes.usage;
    if (error instanceof TargetMissed) return exitCodes.targetMissed;
    return error instanceof Interrupted ? exitCodes.interrupted : exitCodes.failure;
  } finally {
    interrupt.stop();
  }
}

function programOf(signal: AbortSignal): Command {
  const program = new Command("unembed")
    .description("Read, rewrite and shrink the output embedding of a language model.")
    .version(version)
    .showHelpAfterError("(add --help for how to use it)")
    // Without "[options]", which all have: room for what the commands are for.
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage().replace("[options] ", "")}` })
    .hook("preAction", (_, command) => {
      const swallowed = swallowedModel(command);
      if (swallowed) throw swallowed;
    })
    .exitOverride();
  for (const command of [
    analyzeCommand(signal),
    steerCommand(signal),
    reduceCommand(signal),
    trimCommand(signal),
    compareCommand(signal),
    generateCommand(signal),
    exportCommand(signal),
    dynamicsCommand(signal),
    countCommand(signal),
    devicesCommand(signal),
    exploreCommand(signal),
    tokenizeCommand(signal),
    workerCommand(signal),
  ]) {
    program.addCommand(
      command.copyInheritedSettings(program).showHelpAfterError(`(see unembed ${command.name()} --help)`),
    );
  }
  return program;
}

/** Exit code of an error that commander has printed itself: help that was asked for, or bad usage. */
function exitCodeOf({ exitCode, code }: CommanderError, program: Command, args: readonly string[]): number {
  if (exitCode === 0) return exitCodes.ok;
  const command = commandOf(program, args);
  const swallowed = code === "commander.missingArgument" && command && swallowedModel(command);
  if (swallowed) console.error(...described(swallowed));
  return exitCodes.usage;
}

function commandOf(program: Command, [name]: readonly string[]): Command | undefined {
  return program.commands.find((command) => command.name() === name);
}

/** How an error is printed: one line, with the stack only where nobody foresaw it. */
function described(error: unknown): unknown[] {
  const foreseen = [UsageError, Interrupted, TargetMissed].some((kind) => error instanceof kind);
  return foreseen ? [`unembed: ${(error as Error).message}`] : ["unembed: unexpected failure:", error];
}

/** The reader has closed the pipe (`| head`). All files were written before anything was printed. */
function endAtClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
}
