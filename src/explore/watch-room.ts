import { probabilityFrequencies } from "../dynamics/inputs/frequencies.js";
import { dynamics } from "../dynamics/watch.js";
import { gramSession } from "../engine/gram-session.js";
import { InputError } from "../errors.js";
import { dynamicsPageData } from "../report/dynamics/dynamics-page-data.js";
import { type Desk, textKey } from "./desk.js";

/** Follows the encoding through the checkpoints of a series: of the probabilities that the open model has on the text. */
export function watchSeries(desk: Desk, name: string, serial: number): void {
  const { store, work, host, model, read } = desk;
  const { openSeries } = host;
  if (openSeries === undefined)
    throw new InputError(name, "cannot be opened here: start `unembed explore` for a series");
  store.hide("series");
  store.set({ series: { name, steps: [], index: 0, ready: false } });
  work.ensure("series", `${textKey(desk)} ${serial}`, "following the series", async (signal, onStep) => {
    const checkpoints = await openSeries.call(host, name, signal);
    const { gram, release } = await gramSession(model!.engine);
    try {
      const { statistics, encoding, tokens } = read!.analysis;
      const probabilities = statistics.sumProbability.map((sum) => sum / statistics.contexts);
      const result = await dynamics(checkpoints, {
        ...{ name, tokens, gram, signal, threads: model!.engine.threads },
        frequencies: (vocabSize) =>
          probabilityFrequencies(probabilities, encoding.tokenIds, "the open text", vocabSize),
        onProgress: ({ done, total }) => onStep(done, total, "steps"),
      });
      signal.throwIfAborted();
      const data = dynamicsPageData(result);
      store.show({ name: "series", data });
      store.set({ series: { name, steps: data.steps, index: data.steps.length - 1, ready: true } });
    } finally {
      await release();
    }
  });
}
