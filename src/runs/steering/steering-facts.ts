import { contextLengthFor } from "../../model/contexts/context.js";
import type { Model } from "../../model/model.js";
import { type SteeringRun, steeredModel } from "../../steering/steering-run.js";
import { type SteerRunOptions, withDefaults } from "./steer-options.js";

/** What a run's record says of its inputs, and how long it took. @param started performance.now() at its beginning */
export function steeringFacts(
  model: Model,
  options: SteerRunOptions,
  started: number,
): Omit<SteeringRun, "edit" | "generated" | "experiments"> {
  const { texts, contextLength, seed } = withDefaults(options);
  return {
    model: steeredModel(model),
    texts: Object.fromEntries(
      Object.entries(texts).flatMap(([text, corpus]) => (corpus ? [[text, { files: corpus.files }]] : [])),
    ),
    contextLength: contextLengthFor([model], contextLength),
    seed,
    threads: model.engine.threads,
    seconds: (performance.now() - started) / 1000,
  };
}
