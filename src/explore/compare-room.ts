import { compare } from "../compare/compare.js";
import { largestMovers } from "../compare/comparison.js";
import { comparisonPageData } from "../report/comparison/comparison-page-data.js";
import type { ModelChoice } from "./actions.js";
import { type Desk, textKey } from "./desk.js";
import { filesOf } from "./open/opened.js";

/** Compares the open model with another one of its vocabulary on the text that was read. */
export function compareWith(desk: Desk, other: ModelChoice, serial: number): void {
  const { store, work, host } = desk;
  const [model, read] = [desk.model!, desk.read!];
  store.hide("comparison");
  work.ensure("compare", `${textKey(desk)} ${serial}`, "comparing the models", async (signal, onStep) => {
    const onBytes = (done: number, total: number | null) => onStep(done, total, "bytes");
    const b = await host.openModel(other, filesOf(desk, other), { signal, onBytes });
    try {
      store.set({ comparison: { name: b.name, ready: false } });
      const tokens = read.contexts.count;
      const comparison = await compare(model, b, read.corpus, {
        ...{ tokens, contextLength: read.contextLength, signal },
        onProgress: ({ contexts }) => onStep(contexts, tokens, "tokens"),
      });
      signal.throwIfAborted();
      store.show({
        name: "comparison",
        names: { a: model.name, b: b.name },
        data: comparisonPageData(comparison),
        kl: comparison.kl.mean,
        js: comparison.js.mean,
        top1: comparison.top1Agreement,
        perplexity: comparison.perplexity,
        movers: largestMovers(comparison).map(({ token, ...mover }) => ({ ...mover, text: token })),
      });
      store.set({ comparison: { name: b.name, ready: true } });
    } finally {
      await b.close();
    }
  });
}
