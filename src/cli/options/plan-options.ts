import { dirname, isAbsolute, relative, resolve } from "node:path";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import { matchTexts } from "../../node/files/bounded-match.js";
import { openFileSource } from "../../node/files/file-source.js";
import { nearestReal } from "../../node/files/real-path.js";
import { askedEdits, wordOf } from "../../steering/plan/edit-list.js";
import { type PlanOptions, planEdits, readEditPlan } from "../../steering/plan/edit-plan.js";
import { readEdits } from "../../steering/plan/edits-file.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { wholeFile } from "../../tensor/byte-source.js";
import { UsageError } from "../usage-error.js";

/** The arguments of a command that say which tokens to edit, and how. */
export interface PlanArguments {
  edit?: string[];
  edits?: string;
  plan?: string;
  each?: boolean;
  piece?: number[];
  method: EditPlan["method"];
  size?: number;
  salient?: number;
  exact?: boolean;
  calibrate: boolean;
  guard: boolean;
}

/**
 * What can be said of the edits before the model is there.
 * @param given whether an option stands on the command line
 * @param needed whether edits have to be asked for
 * @throws UsageError if they contradict one another, or are no edits
 */
export function checkPlanOptions(
  args: PlanArguments,
  given: (option: keyof PlanArguments) => boolean,
  needed: boolean,
): void {
  const { edit, plan, each, method, salient, exact } = args;
  const sources = (["edit", "edits", "plan"] as const).filter((option) => args[option] !== undefined);
  if (sources.length > 1 || (sources.length === 0 && needed)) {
    throw new UsageError("steer", "one of --edit, --edits and --plan is wanted");
  }
  if (plan !== undefined) {
    if (each) throw new UsageError("--each", "is for new edits; the plan says what its targets are for");
    if (args.piece) throw new UsageError("--piece", "is for new edits; the plan says which pieces it edits");
    return;
  }
  if (salient !== undefined && method !== "salient") throw new UsageError("--salient", "is for --method salient");
  if (exact && method !== "constant") throw new UsageError("--exact", "is for --method constant");
  if (given("size") && method !== "nearest" && method !== "constant") {
    throw new UsageError("--size", "is for --method nearest and --method constant");
  }
  try {
    const asked = edit === undefined ? undefined : askedEdits(edit);
    if (args.piece && !(asked?.some(({ token }) => wordOf(token) !== undefined) ?? args.edits !== undefined)) {
      throw new UsageError(
        "--piece",
        "is for words of several tokens, and no edit is of one: --edit '@word:WORD=SPEC'",
      );
    }
  } catch (error) {
    if (error instanceof InputError) throw new UsageError("--edit", error.message);
    throw error;
  }
}

/**
 * The plan that a command line asks for, its tokens found.
 * @param given the options that stand on the command line: those change what a plan's file says
 * @throws InputError naming the option or the file
 */
export async function planOf(
  model: Model,
  args: PlanArguments,
  given: (option: keyof PlanArguments) => boolean,
): Promise<EditPlan> {
  checkOptions(model, args);
  if (args.plan !== undefined) {
    const options = (["method", "salient", "exact", "calibrate", "guard"] as const).filter(given);
    const changes = Object.fromEntries(options.map((option) => [option, args[option]]));
    if (given("method")) changes.forced = true;
    const lambda = args.size === undefined ? {} : { lambda: args.size, fixedLambda: true };
    return readEditPlan(await openFileSource(args.plan), model, { ...changes, ...lambda });
  }
  const { each, piece: pieces, size: lambda, salient, exact, calibrate, guard } = args;
  // A method that was asked for carries out bans too.
  const method = given("method") ? args.method : undefined;
  const options: PlanOptions = { each, pieces, method, lambda, salient, exact, calibrate, guard, readList, matchTexts };
  try {
    if (args.edits === undefined) return await planEdits(model, args.edit!, options);
    const edits = await readEdits(await openFileSource(args.edits));
    return await planEdits(model, edits, { ...options, readList: listsNear(args.edits) });
  } catch (error) {
    if (error instanceof InputError && error.place === "pieces") throw new UsageError("--piece", error.problem);
    throw error;
  }
}

/** The name that a command line has for what the plan would refuse anyway. */
function checkOptions({ name, hiddenSize }: Model, { salient }: PlanArguments): void {
  if (salient !== undefined && salient > hiddenSize) {
    throw new InputError("--salient", `is ${salient}; ${name} has ${hiddenSize} dimensions`);
  }
}

/** Longer than a line for every token of the largest vocabularies. */
const maxListBytes = 2 ** 24;

/** The lines of a list of tokens. @throws InputError if it cannot be read, or is no text */
export async function readList(path: string): Promise<string> {
  const bytes = await wholeFile(await openFileSource(path), maxListBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(path, "is not valid UTF-8", { cause: error });
  }
}

/** The same for lists that a file of edits names: it may come from elsewhere, and messages quote what a list holds. */
function listsNear(file: string): (path: string) => Promise<string> {
  const folders = [dirname(resolve(file)), process.cwd()];
  return async (path) => {
    const list = await nearestReal(resolve(path));
    const real = await Promise.all(folders.map(nearestReal));
    if (real.some((folder) => isBelow(folder, list))) return readList(path);
    throw new InputError(
      path,
      `lies neither beside nor below ${file}, nor below the working folder: give it with --edit`,
    );
  };
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(/[/\\]/)[0] !== "..";
}
