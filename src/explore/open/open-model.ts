import { ggufFilesOf } from "../../model/gguf/gguf-folder.js";
import type { Model } from "../../model/model.js";
import type { ModelChoice } from "../actions.js";
import { type Desk, modelKey } from "../desk.js";
import { noHistory } from "../history.js";
import { builtInPrior } from "../read/read-figure.js";
import type { OpenModel } from "../state.js";
import { clearText, filesOf } from "./opened.js";

/** Has the model that was asked for opened, once what it costs to fetch was agreed to. */
export function refreshModel(desk: Desk): void {
  const { asked, host, store, work } = desk;
  const { model } = asked;
  if (model === undefined) return;
  const key = `${modelKey(desk)} ${asked.agreed}`;
  work.ensure("model", key, "opening the model", async (signal, onStep) => {
    if (!asked.agreed) {
      const download = await host.downloadOf(model, signal);
      signal.throwIfAborted();
      if (download !== undefined) return store.set({ download });
    }
    const opened = await host.openModel(model, filesOf(desk, model), {
      signal,
      onBytes: (done, total) => onStep(done, total, "bytes"),
    });
    if (signal.aborted) return opened.close();
    const before = desk.model;
    closeModel(desk);
    const hasTokenizer = await opened.hasTokenizer();
    desk.model = opened;
    desk.prior = await builtInPrior(opened);
    store.set({ download: null, model: described(opened, model, hasTokenizer) });
    await before?.close();
  });
}

function closeModel(desk: Desk): void {
  const { store } = desk;
  clearText(desk);
  desk.prompt = undefined;
  desk.chosen = [];
  desk.solved.clear();
  desk.history = noHistory;
  store.hide("prompt", "texts", "token", "found", "comparison");
  store.set({ model: null, token: null, comparison: null });
}

function described(model: Model, reference: ModelChoice, hasTokenizer: boolean): OpenModel {
  const { name, modelType, vocabSize, hiddenSize, dtype, head, folder } = model;
  return {
    ...{ name, reference, modelType, vocabSize, hiddenSize, dtype, hasTokenizer },
    tied: head.tied,
    hasBias: head.bias !== undefined,
    gguf: ggufFilesOf(folder) !== undefined,
  };
}
