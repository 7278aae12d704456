import type { Corpus } from "../../corpus/corpus.js";
import type { TextChoice } from "../actions.js";
import { type Desk, textKey } from "../desk.js";
import { readFigure, readNumbers } from "../read/read-figure.js";
import { readText } from "../read/read-text.js";
import type { OpenText } from "../state.js";
import { clearText, filesOf, isModelOpen } from "./opened.js";

/** Has the text that was asked for read by the open model. */
export function refreshText(desk: Desk): void {
  const { asked, store, work } = desk;
  const { text, tokens } = asked;
  if (text === undefined || !isModelOpen(desk)) return;
  work.ensure("text", textKey(desk), "reading the text", async (signal, onStep) => {
    clearText(desk);
    // What could come next is there at once, and not behind all of the text.
    await work.settled("prompt");
    const corpus = await corpusOf(desk, text);
    const opened: OpenText = {
      ...{ name: nameOf(text), reference: withoutText(text), contexts: 0, total: tokens, complete: false },
      ...{ contextLength: 0, slidersLive: false, numbers: null },
    };
    store.set({ text: opened });
    const read = await readText(desk.model!, corpus, {
      ...{ tokens, signal },
      onContexts: (contexts) => {
        onStep(contexts, tokens, "tokens");
        if (!signal.aborted) store.set({ text: { ...store.state.text!, contexts } });
      },
      onAnalysis: (analysis) => {
        if (signal.aborted) return;
        store.show(readFigure(analysis, desk.prior, false));
        store.set({ text: { ...store.state.text!, numbers: readNumbers(analysis) } });
      },
    });
    if (signal.aborted) return;
    desk.read = read;
    const { analysis, contextLength, contexts } = read;
    store.show(readFigure(analysis, desk.prior, true));
    const { count } = contexts;
    store.set({
      text: { ...opened, contexts: count, total: count, complete: true, contextLength, numbers: readNumbers(analysis) },
    });
  });
}

async function corpusOf(desk: Desk, text: TextChoice): Promise<Corpus> {
  if (text.kind !== "own") return desk.host.openText(text, filesOf(desk, text));
  const own = text.text;
  return {
    files: [{ name: nameOf(text), bytes: new TextEncoder().encode(own).length }],
    async *documents() {
      yield { name: nameOf(text), text: oneText(own) };
    },
  };
}

async function* oneText(text: string): AsyncGenerator<string> {
  yield text;
}

/** A text of one's own may be long: the state names it only. */
const withoutText = (text: TextChoice): TextChoice => (text.kind === "own" ? { kind: "own", text: "" } : text);

const nameOf = (text: TextChoice): string =>
  text.kind === "own" ? "your text" : text.kind === "offered" ? text.name : `dropped text ${text.drop + 1}`;
