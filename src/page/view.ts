import { type ReadonlySignal, signal } from "@preact/signals";
import type { Action } from "../explore/actions.js";
import type { FigureData } from "../explore/figures.js";
import type { ExplorerLink, FileOffer, Message } from "../explore/protocol.js";
import type { State } from "../explore/state.js";

type FigureName = FigureData["name"];
type FigureOf<Name extends FigureName> = Extract<FigureData, { name: Name }>;

/** What the page shows: the explorer's state and figures as signals, and what sends actions to it. */
export interface ExplorerView {
  /** null until the explorer has answered. */
  readonly state: ReadonlySignal<State | null>;
  figure<Name extends FigureName>(name: Name): ReadonlySignal<FigureOf<Name> | null>;
  send(action: Action): void;
  /** A number that grows: answers to a slider repeat it. */
  nextSequence(): number;
}

/** @param save is given files that the explorer offers */
export function createView(link: ExplorerLink, save: (file: FileOffer) => void): ExplorerView {
  const state = signal<State | null>(null);
  const figures = new Map<FigureName, ReturnType<typeof signal<FigureData | null>>>();
  const figureSignal = (name: FigureName) => {
    const known = figures.get(name) ?? signal<FigureData | null>(null);
    figures.set(name, known);
    return known;
  };
  let sequence = 0;
  link.subscribe((message: Message) => {
    if (message.type === "state") state.value = { ...state.value, ...message.patch } as State;
    else if (message.type === "figure") figureSignal(message.name).value = message.figure;
    else save(message.file);
  });
  return {
    state,
    figure: <Name extends FigureName>(name: Name) => figureSignal(name) as ReadonlySignal<FigureOf<Name> | null>,
    send: (action) => link.send(action),
    nextSequence: () => ++sequence,
  };
}
