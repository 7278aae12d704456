import { Command, CommanderError } from "commander";
import { InputError } from "../errors.js";
import { version } from "../node/version.js";
import { analyzeCommand } from "./commands/analyze.js";
import { compareCommand } from "./commands/compare.js";
import { countCommand } from "./commands/count.js";
import { dynamicsCommand } from "./commands/dynamics.js";
import { generateCommand } from "./commands/generate.js";
import { reduceCommand } from "./commands/reduce.js";
import { steerCommand } from "./commands/steer.js";
import { Interrupted, untilInterrupted } from "./progress/interrupt.js";

/** Exit codes: all went well, it failed, the command line made no sense, Ctrl-C. */
const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Runs one command line. @param args without node and the script's name @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command("unembed")
    .description("Read, rewrite and shrink the output embedding of a language model.")
    .version(version)
    .showHelpAfterError("(add --help for how to use it)")
    .exitOverride();
  // Never taken off: the error comes when everything else is done.
  process.stdout.on("error", endAtClosedPipe);
  const interrupt = untilInterrupted();
  for (const command of [
    analyzeCommand(interrupt.signal),
    steerCommand(interrupt.signal),
    reduceCommand(interrupt.signal),
    compareCommand(interrupt.signal),
    generateCommand(interrupt.signal),
    dynamicsCommand(interrupt.signal),
    countCommand(interrupt.signal),
  ]) {
    program.addCommand(
      command.copyInheritedSettings(program).showHelpAfterError(`(see unembed ${command.name()} --help)`),
    );
  }
  try {
    await program.parseAsync(args as string[], { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof Interrupted) {
      console.error(`unembed: ${error.message}`);
      return exitCodes.interrupted;
    }
    if (error instanceof InputError) console.error(`unembed: ${error.message}`);
    else console.error("unembed: unexpected failure:", error);
    return exitCodes.failure;
  } finally {
    interrupt.stop();
  }
}

/** Who reads has seen enough (`| head`): what is written to files was written before anything is printed. */
function endAtClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
}
