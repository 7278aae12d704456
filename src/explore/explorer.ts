import { InputError } from "../errors.js";
import type { Action } from "./actions.js";
import { readAddress, writeAddress } from "./address.js";
import { compareWith } from "./compare-room.js";
import { type Desk, defaultTokens, modelKey, solvedNow, solveKey, textKey } from "./desk.js";
import { noHistory, redone, stepped, undone } from "./history.js";
import { commandOf } from "./home/command-line.js";
import { availableOf, filesToTake } from "./home/take-home.js";
import type { ExplorerHost } from "./host.js";
import { initialState } from "./initial-state.js";
import { choicesOfPlan } from "./load-plan.js";
import { refreshModel } from "./open/open-model.js";
import { refreshText } from "./open/open-text.js";
import { isModelOpen } from "./open/opened.js";
import type { ExplorerLink } from "./protocol.js";
import { searchTokens } from "./read/search.js";
import { tokenPage } from "./read/token-page.js";
import { answerShrink, headAt, planAt, refreshShrink } from "./shrink/shrink-room.js";
import type { Choices, State } from "./state.js";
import { answerSlide } from "./steer/answer-slide.js";
import { chosenPlan } from "./steer/chosen-edits.js";
import { compareMethods } from "./steer/other-methods.js";
import { checkSelectors, refreshSteer } from "./steer/steer-room.js";
import { editedHead, writeTexts } from "./steer/texts.js";
import { createStore } from "./store.js";
import { refreshTrim } from "./trim-room.js";
import { parseAction } from "./validate-action.js";
import { watchSeries } from "./watch-room.js";
import { createWork } from "./work.js";

/** The explorer itself: as a page sees it, and to be ended. */
export interface Explorer extends ExplorerLink {
  readonly state: State;
  /** Resolves once all that was asked for is done. */
  settled(): Promise<void>;
  /** Stops everything and frees the model. */
  close(): Promise<void>;
}

/** Actions that do not wait for those before them. */
const immediate = new Set<Action["type"]>(["stop", "slide", "slide-shrink", "dismiss-problem"]);

/**
 * One explorer: all its state in one place, whatever page or test looks at it. Actions are checked, since a page may be hostile;
 * what is wrong with one is said in `State.problem`.
 */
export function createExplorer(host: ExplorerHost): Explorer {
  const store = createStore(initialState(host.offered));
  const work = createWork(store, problemOf, () => refresh());
  const desk: Desk = {
    ...{
      host,
      store,
      work,
      drops: [],
      history: noHistory,
      chosen: [],
      solved: new Map(),
      paths: new Map(),
      newest: {},
    },
    asked: { model: undefined, modelSerial: 0, agreed: false, text: undefined, tokens: defaultTokens, textSerial: 0 },
    ...{ model: undefined, prior: undefined, read: undefined, prompt: undefined, probes: undefined },
    ...{ slide: undefined, shrinking: undefined, writing: undefined },
  };
  const closing = new AbortController();
  let queue = Promise.resolve();
  let answering: Promise<void> | undefined;
  let serial = 0;

  function problemOf(during: string, error: unknown): void {
    store.set({ problem: { during, message: sentence(error) } });
  }

  /** Has done whatever the present choices need. */
  function refresh(): void {
    if (closing.signal.aborted) return;
    refreshModel(desk);
    refreshText(desk);
    refreshSteer(desk);
    refreshShrink(desk);
    refreshTrim(desk);
    refreshTexts();
    refreshToken();
    const { room, choices } = store.state;
    const { model, text, tokens } = desk.asked;
    store.set({
      canUndo: desk.history.past.length > 0,
      canRedo: desk.history.future.length > 0,
      address: writeAddress({ room, model, text, tokens: tokens === defaultTokens ? undefined : tokens, choices }),
      home: { available: availableOf(desk), command: commandOf(store.state) },
    });
  }

  /** Takes a step that can be undone. */
  function choose(changes: Partial<Choices>): void {
    const { choices } = store.state;
    const next = { ...choices, ...changes };
    if (JSON.stringify(next) === JSON.stringify(choices)) return;
    desk.history = stepped(desk.history, choices);
    store.set({ choices: next });
  }

  function refreshTexts(): void {
    const { writing: of, model } = desk;
    const { choices } = store.state;
    if (of === undefined || model === undefined || !isModelOpen(desk)) return;
    const moved = choices.edits.some(({ position }) => position !== 1);
    const solve = solvedNow(desk);
    const { shrinking, read } = desk;
    const waits = of === "steer" ? moved && solve === undefined : choices.shrink !== null && shrinking === undefined;
    if (waits) return;
    const asked = [choices.prompt, choices.writing, of === "steer" ? solveKey(desk) : choices.shrink];
    work.ensure("write", `${modelKey(desk)} ${of} ${JSON.stringify(asked)}`, "writing", async (signal, onStep) => {
      const head =
        of === "steer"
          ? editedHead(model, solve)
          : choices.shrink === null
            ? model.head
            : await headAt(model, await planAt(model, read!, shrinking!, choices.shrink, signal));
      let written = 0;
      const marked = of === "steer" ? desk.chosen.flatMap(({ ids }) => ids) : [];
      const onToken = () => onStep(++written, 2 * choices.writing.tokens, "tokens");
      const figure = await writeTexts(model, head, choices, { of, marked, signal, onToken });
      if (!signal.aborted) store.show(figure);
    });
  }

  function refreshToken(): void {
    const { token } = store.state;
    const { model, read, prior } = desk;
    if (token === null || model === undefined || read === undefined) return;
    work.ensure("token", `${textKey(desk)} ${token}`, "looking at the token", async (signal) => {
      const tokenizer = (await model.hasTokenizer()) ? await model.tokenizer() : undefined;
      const figure = await tokenPage(model, read, prior, tokenizer, token, signal);
      if (!signal.aborted) store.show(figure);
    });
  }

  async function answerNewest(): Promise<void> {
    for (;;) {
      const { slide, shrink } = desk.newest;
      desk.newest.slide = undefined;
      desk.newest.shrink = undefined;
      if (slide === undefined && shrink === undefined) return;
      try {
        if (shrink !== undefined) answerShrink(desk, shrink);
        if (slide !== undefined) await answerSlide(desk, slide, closing.signal);
      } catch (error) {
        if (!closing.signal.aborted) problemOf("slide", error);
      }
    }
  }

  function answer(): void {
    answering ??= answerNewest().finally(() => {
      answering = undefined;
      if (desk.newest.slide !== undefined || desk.newest.shrink !== undefined) answer();
    });
  }

  /** Waits for the model that was asked for. @throws InputError if none is open then */
  async function needModel() {
    await work.settled("model");
    if (desk.model === undefined) throw new InputError("model", "is not open yet: open one first");
    return desk.model;
  }

  async function needText() {
    await needModel();
    refresh();
    await work.settled("text");
    if (desk.read === undefined) throw new InputError("text", "has not been read yet: open one first");
    return desk.read;
  }

  const edited = (edit: number) => {
    const { edits } = store.state.choices;
    if (edits[edit] === undefined) throw new InputError("edit", `${edit} is none of the ${edits.length} there are`);
    return edits;
  };

  async function perform(action: Action): Promise<void> {
    const { choices } = store.state;
    const { asked } = desk;
    switch (action.type) {
      case "drop": {
        const bytes = action.files.reduce(
          (sum, { content }) => sum + (content instanceof Uint8Array ? content.length : content.size),
          0,
        );
        const drop = desk.drops.push(action.files) - 1;
        const holds = action.files.some(({ path }) => /(^|\/)config\.json$|\.gguf$|\.safetensors$/i.test(path))
          ? "model"
          : "text";
        const name = action.files[0]!.path.split("/")[0]!;
        store.set({ dropped: [...store.state.dropped, { drop, name, holds, bytes }] });
        if (holds === "model") return perform({ type: "open-model", model: { kind: "dropped", drop } });
        return perform({ type: "open-text", text: { kind: "dropped", drop } });
      }
      case "open-model":
        desk.asked = { ...asked, model: action.model, modelSerial: asked.modelSerial + 1, agreed: false };
        desk.writing = undefined;
        desk.history = noHistory;
        store.set({ download: null, choices: { ...choices, edits: [], shrink: null, trim: null } });
        return;
      case "download":
        if (store.state.download === null) return;
        store.set({ download: null });
        desk.asked = action.accept ? { ...asked, agreed: true } : { ...asked, model: store.state.model?.reference };
        return;
      case "open-text":
        desk.asked = {
          ...asked,
          text: action.text,
          tokens: action.tokens ?? defaultTokens,
          textSerial: asked.textSerial + 1,
        };
        return;
      case "open-run": {
        if (host.openRun === undefined)
          throw new InputError(action.name, "cannot be opened here: runs are served by `unembed explore`");
        const run = await host.openRun(action.name);
        await perform({ type: "open-model", model: run.model });
        await perform({ type: "open-text", text: run.text, tokens: run.tokens });
        if (run.plan !== undefined) {
          refresh();
          await perform({ type: "load-plan", file: { path: action.name, content: run.plan } });
        }
        return store.set({ room: run.plan === undefined ? "read" : "steer" });
      }
      case "load-address": {
        const { model, text, tokens = defaultTokens, room, choices: found } = readAddress(action.address);
        desk.asked = {
          ...{ model: model ?? { kind: "embedded" }, modelSerial: asked.modelSerial + 1, agreed: false },
          ...{ text: text ?? asked.text, tokens, textSerial: asked.textSerial + 1 },
        };
        desk.history = noHistory;
        return store.set({ room, choices: found, download: null });
      }
      case "load-plan":
        return choose(await choicesOfPlan(await needModel(), action.file, choices));
      case "go":
        return store.set({ room: action.room });
      case "show-token": {
        if (action.id !== null && action.id >= (await needModel()).vocabSize)
          throw new InputError("token", `id ${action.id} is none of the model's`);
        if (action.id === null) store.hide("token");
        return store.set({ token: action.id });
      }
      case "search": {
        const model = await needModel();
        return store.show(await searchTokens(model, desk.read?.analysis, action.query, host.matchTexts?.bind(host)));
      }
      case "set-prompt":
        return choose({ prompt: action.prompt });
      case "add-edit": {
        await needModel();
        const { selector, position = 1 } = action;
        if (choices.edits.length >= mostEdits)
          throw new InputError("edits", `are ${mostEdits} already: remove one first`);
        await checkSelectors(desk, [...choices.edits.map((edit) => edit.selector), selector]);
        return choose({ edits: [...choices.edits, { selector, position }] });
      }
      case "remove-edit":
        return choose({ edits: edited(action.edit).filter((_, index) => index !== action.edit) });
      case "release": {
        const { edit, position } = action;
        return choose({ edits: edited(edit).map((one, index) => (index === edit ? { ...one, position } : one)) });
      }
      case "set-method":
        return choose({ method: action.method, lambda: action.lambda });
      case "compare-methods": {
        const read = await needText();
        const plan = await chosenPlan(host, desk.model!, choices);
        if (plan === undefined) throw new InputError("edits", "are none yet: move a slider first");
        const key = `${solveKey(desk)} ${++serial}`;
        return work.ensure("methods", key, "comparing the methods", (signal) =>
          compareMethods(desk.model!, read, plan, signal, (methods) => store.show({ name: "methods", methods })),
        );
      }
      case "write":
        await needModel();
        desk.writing = action.of;
        return choose({ writing: action.writing });
      case "release-shrink":
        return choose({ shrink: action.size });
      case "set-trim":
        return choose({ trim: action.vocabSize });
      case "open-series":
        await needText();
        return watchSeries(desk, action.name, ++serial);
      case "set-step": {
        const { series } = store.state;
        if (series === null || action.index >= series.steps.length)
          throw new InputError("step", `${action.index} is none of the series`);
        return store.set({ series: { ...series, index: action.index } });
      }
      case "compare":
        await needText();
        return compareWith(desk, action.model, ++serial);
      case "take-home":
        if (!availableOf(desk).includes(action.what))
          throw new InputError(action.what, "is not there yet: choose something first");
        return work.ensure("home", `${++serial}`, "writing the file", async (signal, onStep) => {
          for (const file of await filesToTake(desk, action.what, signal, onStep)) {
            store.offer(file);
            if (host.offered.writesTo !== null) await host.write?.(file);
          }
        });
      case "keep":
        return store.set({ kept: [...store.state.kept, { name: action.name, choices }].slice(-mostKept) });
      case "show-kept":
        return choose(keptAt(action.index).choices);
      case "forget-kept":
        keptAt(action.index);
        return store.set({ kept: store.state.kept.filter((_, index) => index !== action.index) });
      case "undo":
        return travel(undone(desk.history, choices));
      case "redo":
        return travel(redone(desk.history, choices));
      case "stop":
        return work.stop(action.task);
      case "dismiss-problem":
        return store.set({ problem: null });
      case "slide":
        desk.newest.slide = action;
        return answer();
      case "slide-shrink":
        desk.newest.shrink = action;
        return answer();
    }
  }

  const keptAt = (index: number) => {
    const kept = store.state.kept[index];
    if (kept === undefined)
      throw new InputError("kept", `${index} is none of the ${store.state.kept.length} there are`);
    return kept;
  };

  function travel(to: ReturnType<typeof undone>): void {
    if (to === undefined) return;
    desk.history = to.history;
    store.set({ choices: to.choices });
  }

  async function performed(action: Action): Promise<void> {
    try {
      await perform(action);
    } catch (error) {
      if (!closing.signal.aborted) problemOf(action.type, error);
    }
    if (!immediate.has(action.type)) refresh();
  }

  return {
    get state() {
      return store.state;
    },
    send(given) {
      let action: Action;
      try {
        action = parseAction(given);
      } catch (error) {
        return problemOf("action", error);
      }
      if (immediate.has(action.type)) void performed(action);
      else queue = queue.then(() => performed(action));
    },
    subscribe: (listener) => store.subscribe(listener),
    async settled() {
      for (let before: unknown; before !== queue; ) {
        before = queue;
        await queue;
        await work.settled();
        await answering;
      }
    },
    async close() {
      closing.abort(new Error("closed"));
      await queue;
      await work.reset();
      await answering;
      await desk.model?.close();
      desk.model = undefined;
    },
  };
}

const mostEdits = 100;
const mostKept = 50;

/** What went wrong, in one sentence. */
function sentence(error: unknown): string {
  if (error instanceof InputError || error instanceof RangeError) return error.message;
  return `something failed that should not have: ${error instanceof Error ? error.message : String(error)}`;
}
