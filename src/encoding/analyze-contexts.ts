import type { StoredContexts } from "../model/contexts/stored-contexts.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Analysis } from "./analysis.js";
import { analyzeHidden } from "./analyze.js";

const blockContexts = 4096;

/** The encoding of a text whose hidden states are stored (METHOD.md sections 1 and 2): only the head is run. */
export function analyzeContexts(
  model: HeadModel,
  contexts: StoredContexts,
  signal?: AbortSignal | undefined,
): Promise<Analysis> {
  const { count, hiddenSize } = contexts;
  const hidden = {
    file: { name: "hidden states", bytes: 4 * count * hiddenSize },
    contexts: count,
    async *blocks() {
      for (let start = 0; start < count; start += blockContexts) {
        yield await contexts.read(start, Math.min(count, start + blockContexts));
      }
    },
  };
  return analyzeHidden(model, hidden, { signal });
}
