import { availableParallelism } from "node:os";
import type { Corpus } from "../corpus/corpus.js";
import { contextLengthFor } from "../model/contexts/context.js";
import type { Model } from "../model/model.js";
import { steeringRunFiles } from "../node/runs/steering-run.js";
import type { CheckText } from "../steering/check/check.js";
import { type SteeringRun, steeredModel } from "../steering/steering-run.js";
import { commandLine } from "./options/arguments.js";

/** The part of a run that only the command knows. */
export interface SteeringCommand {
  readonly args: { readonly context?: number; readonly threads?: number };
  /** performance.now() at its beginning. */
  readonly started: number;
}

/** Seed of the bootstrap and of the choice of random tokens. */
export const steeringSeed = 1;

/** run.json and report.html of what the command found. */
export function steeringFiles(
  model: Model,
  texts: { readonly [Text in CheckText]?: Corpus | undefined },
  { args, started }: SteeringCommand,
  found: Pick<SteeringRun, "edit" | "generated" | "experiments">,
): (readonly [name: string, contents: string])[] {
  const run: SteeringRun = {
    model: steeredModel(model),
    texts: Object.fromEntries(
      Object.entries(texts).flatMap(([text, corpus]) => (corpus ? [[text, { files: corpus.files }]] : [])),
    ),
    contextLength: contextLengthFor([model], args.context),
    seed: steeringSeed,
    threads: args.threads ?? availableParallelism(),
    seconds: (performance.now() - started) / 1000,
    ...found,
  };
  return steeringRunFiles(run, {
    command: commandLine(process.argv.slice(2)),
    arguments: { model: model.name, ...args },
  });
}
