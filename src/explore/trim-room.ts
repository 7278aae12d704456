import { massCurve } from "../trimming/measure/mass-curve.js";
import type { TokenUsage } from "../trimming/plan/token-usage.js";
import { planTrim, type TrimPlan } from "../trimming/plan/trim-plan.js";
import { type Desk, textKey } from "./desk.js";
import type { ReadText } from "./read/read-text.js";

/** Tokens that go, listed. */
const listed = 60;

/** What a text has of each token, as the pass over it has summed. */
function usageOf({ analysis: { statistics } }: ReadText): TokenUsage {
  const { contexts, sumProbability, tokenCounts } = statistics;
  return { meanProbability: sumProbability.map((sum) => sum / contexts), counts: tokenCounts, contexts };
}

/** The plan that keeps so many tokens at most. @throws InputError as planTrim */
export async function trimPlanOf(desk: Desk): Promise<TrimPlan | undefined> {
  const { trim } = desk.store.state.choices;
  if (trim === null) return undefined;
  return planTrim(desk.model!, { maxVocab: trim }, { usage: usageOf(desk.read!) });
}

/** Has the curve of Trim drawn where someone looks at it, and the chosen size planned. */
export function refreshTrim(desk: Desk): void {
  const { store, work, read } = desk;
  const { room, choices } = store.state;
  if (read === undefined || (room !== "trim" && choices.trim === null)) {
    if (store.state.trim !== null) store.set({ trim: null });
    return;
  }
  work.ensure("trim", `${textKey(desk)} ${choices.trim}`, "ranking the tokens", async (signal) => {
    const usage = usageOf(read);
    const plan = await trimPlanOf(desk);
    if (signal.aborted) return;
    const kept = new Set(plan?.kept);
    const { tokens, encoding } = read.analysis;
    const gone = plan === undefined ? [] : Array.from(encoding.tokenIds).filter((id) => !kept.has(id));
    const sum = (values: Float64Array) => gone.reduce((total, id) => total + values[id]!, 0);
    const most = gone.sort((a, b) => usage.meanProbability[b]! - usage.meanProbability[a]! || a - b).slice(0, listed);
    store.show({
      name: "trim",
      curve: massCurve(usage),
      goes: most.map((id) => ({
        ...{ id, text: tokens[id]!, probability: usage.meanProbability[id]!, count: usage.counts[id]! },
      })),
    });
    store.set({
      trim: plan
        ? {
            kept: plan.kept.length,
            removedMass: sum(usage.meanProbability),
            removedOfText: sum(usage.counts) / usage.contexts,
          }
        : null,
    });
  });
}
