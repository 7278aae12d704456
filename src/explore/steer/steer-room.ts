import { textProbes } from "../../steering/probes/text-probes.js";
import type { Action } from "../actions.js";
import { type Desk, keep, modelKey, solvedNow, solveKey, textKey } from "../desk.js";
import { isModelOpen } from "../open/opened.js";
import type { EditState } from "../state.js";
import { type ChosenTokens, chooseTokens, chosenPlan } from "./chosen-edits.js";
import { solveExactly } from "./exact-solve.js";
import { changedLogits, openPrompt, promptFigure } from "./prompt.js";
import { solvePath } from "./slide-path.js";

/** Contexts that no text holds, which every exact solve is held to. */
const probeContexts = 4096;

/** Has everything done that the present choices of Steer need and that is not done yet. */
export function refreshSteer(desk: Desk): void {
  if (!isModelOpen(desk)) return;
  refreshPrompt(desk);
  refreshEdits(desk);
  const { choices } = desk.store.state;
  const ready = desk.read !== undefined && areChosen(desk) && choices.edits.length > 0;
  refreshSolve(desk, ready && choices.edits.some(({ position }) => position !== 1));
  refreshPaths(desk, ready);
  showEdits(desk);
}

/** Whether the tokens of the present choices are known. */
const areChosen = ({ chosen, store }: Desk): boolean =>
  chosen.length === store.state.choices.edits.length &&
  chosen.every(({ selector }, index) => selector === store.state.choices.edits[index]!.selector);

function refreshPrompt(desk: Desk): void {
  const { work, store } = desk;
  const { prompt } = store.state.choices;
  if (store.state.model?.hasTokenizer !== true) return;
  work.ensure("prompt", `${modelKey(desk)} ${prompt}`, "reading the prompt", async (signal) => {
    const opened = await openPrompt(desk.model!, prompt);
    if (signal.aborted) return;
    desk.prompt = opened;
    await showPrompt(desk);
  });
}

/** The prompt's distribution under the exact solve, where there is one. */
async function showPrompt(desk: Desk): Promise<void> {
  const { prompt, model, chosen, store } = desk;
  if (prompt === undefined || model === undefined) return;
  const solve = solvedNow(desk);
  const changed = solve
    ? await changedLogits(model, prompt, solve.solution.rows, solve.solution.bias)
    : new Map<number, number>();
  if (desk.prompt !== prompt || desk.model !== model || solve !== solvedNow(desk)) return;
  store.show({ name: "prompt", ...promptFigure(prompt, changed, new Set(chosen.flatMap(({ ids }) => ids))) });
}

function refreshEdits(desk: Desk): void {
  const { work, host, store } = desk;
  const { edits } = store.state.choices;
  if (areChosen(desk)) return;
  const selectors = edits.map(({ selector }) => selector);
  work.ensure("edits", `${modelKey(desk)} ${JSON.stringify(selectors)}`, "finding the tokens", async (signal) => {
    const chosen = await chooseTokens(host, desk.model!, edits);
    if (!signal.aborted) desk.chosen = chosen;
  });
}

function refreshSolve(desk: Desk, wanted: boolean): void {
  const { work, store, host } = desk;
  const { choices } = store.state;
  const key = solveKey(desk);
  if (!wanted) {
    store.hide("solved");
    work.ensure("solve", undefined, "", async () => {});
    return;
  }
  const known = desk.solved.get(key);
  if (known !== undefined) keep(desk.solved, key, known);
  work.ensure("solve", key, "solving the edits", async (signal) => {
    const model = desk.model!;
    const read = desk.read!;
    let found = known;
    if (found === undefined) {
      desk.probes ??= await textProbes(model, { fit: read.corpus }, { most: probeContexts, signal });
      const plan = await chosenPlan(host, model, choices);
      found = await solveExactly(
        model,
        read,
        desk.probes,
        plan!,
        choices.edits.filter(({ position }) => position !== 1),
        signal,
      );
    }
    if (signal.aborted) return;
    keep(desk.solved, key, found);
    store.show(found.figure);
    await showPrompt(desk);
  });
}

/** What a slider's path is kept under. */
export const pathKey = (desk: Desk, { ids }: ChosenTokens): string => {
  const { method, lambda } = desk.store.state.choices;
  return `${textKey(desk)} ${method} ${lambda} ${ids.join(",")}`;
};

function refreshPaths(desk: Desk, ready: boolean): void {
  const { work, store, chosen } = desk;
  const { method, lambda } = store.state.choices;
  const followed = chosen.filter(({ inContext }) => !inContext);
  const key = ready ? JSON.stringify(followed.map((one) => pathKey(desk, one))) : undefined;
  work.ensure("sliders", key, "preparing the sliders", async (signal, onStep) => {
    const read = desk.read!;
    const { encoding, sparsity } = read.analysis;
    for (const one of followed) {
      const own = pathKey(desk, one);
      if (desk.paths.has(own)) continue;
      await solvePath(desk.model!, read.contexts, one.ids, meanOf(desk, one), {
        ...{ method, lambda, signal, slopes: encoding.slopes, saliency: sparsity.saliency },
        salient: method === "salient" ? desk.model!.hiddenSize : undefined,
        async onPath(path, done, of) {
          signal.throwIfAborted();
          keep(desk.paths, own, path);
          onStep(done, of, "steps");
          showLive(desk);
        },
      });
    }
  });
  showLive(desk);
}

function showLive(desk: Desk): void {
  const { store, chosen } = desk;
  const { text } = store.state;
  if (text === null) return;
  const live = chosen.length > 0 && chosen.every((one) => one.inContext || desk.paths.has(pathKey(desk, one)));
  store.set({ text: { ...text, slidersLive: live } });
}

/** Mean probability of an edit's tokens together. */
export function meanOf({ read }: Desk, { ids }: ChosenTokens): number {
  const { sumProbability, contexts } = read!.analysis.statistics;
  return ids.reduce((sum, id) => sum + sumProbability[id]!, 0) / contexts;
}

function showEdits(desk: Desk): void {
  const { store, chosen, read } = desk;
  const { edits } = store.state.choices;
  const solve = solvedNow(desk);
  let solved = 0;
  const states = edits.map(({ position, selector }, index): EditState => {
    const one = chosen[index]?.selector === selector ? chosen[index] : undefined;
    const own = position === 1 ? null : (solve?.edits[solved++] ?? null);
    return {
      ...{ tokens: one?.ids ?? [], texts: one?.texts ?? [], notes: one?.notes ?? [] },
      before: read && one ? meanOf(desk, one) : null,
      solved: own,
    };
  });
  store.set({ edits: states });
}

/** @throws InputError if a selector stands for no token, or for one that is edited already */
export async function checkSelectors(desk: Desk, selectors: readonly string[]): Promise<void> {
  await chooseTokens(
    desk.host,
    desk.model!,
    selectors.map((selector) => ({ selector })),
  );
}

export type SlideAction = Extract<Action, { type: "slide" }>;
