import { beginsWindows } from "../../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import type { Model } from "../../model/model.js";
import { type SteeringRun, steeredModel } from "../../steering/steering-run.js";
import { type SteerRunOptions, withDefaults } from "./steer-options.js";

/** What a run's record says of its inputs, and how long it took. @param started performance.now() at its beginning */
export async function steeringFacts(
  model: Model,
  options: SteerRunOptions,
  started: number,
): Promise<Omit<SteeringRun, "edit" | "generated" | "experiments">> {
  const { texts, contextLength, beginOfText, seed } = withDefaults(options);
  return {
    model: steeredModel(model),
    texts: Object.fromEntries(
      Object.entries(texts).flatMap(([text, corpus]) => (corpus ? [[text, { files: corpus.files }]] : [])),
    ),
    contextLength: contextLengthFor([model], contextLength, texts.fit),
    beginOfText: await beginsWindows(model, texts.fit, beginOfText),
    seed,
    threads: model.engine.threads,
    seconds: (performance.now() - started) / 1000,
  };
}
