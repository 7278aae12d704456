import type { FigureData } from "./figures.js";
import type { FileOffer, Message, Patch } from "./protocol.js";
import type { State } from "./state.js";

/** The state and the newest figure of each name, and who is told of changes. */
export interface Store {
  readonly state: State;
  /** Tells of the fields that differ. */
  set(patch: Patch): void;
  show(figure: FigureData): void;
  /** Figures that hold no longer. */
  hide(...names: FigureData["name"][]): void;
  figure<Name extends FigureData["name"]>(name: Name): Extract<FigureData, { name: Name }> | undefined;
  figures(): FigureData[];
  offer(file: FileOffer): void;
  subscribe(listener: (message: Message) => void): () => void;
}

export function createStore(initial: State): Store {
  let state = initial;
  const figures = new Map<FigureData["name"], FigureData>();
  const listeners = new Set<(message: Message) => void>();
  const tell = (message: Message) => {
    for (const listener of [...listeners]) listener(message);
  };
  return {
    get state() {
      return state;
    },
    set(patch) {
      const changed = Object.entries(patch).filter(([field, value]) => !isSame(state[field as keyof State], value));
      if (changed.length === 0) return;
      const differing = Object.fromEntries(changed) as Patch;
      state = { ...state, ...differing };
      tell({ type: "state", patch: differing });
    },
    show(figure) {
      figures.set(figure.name, figure);
      tell({ type: "figure", name: figure.name, figure });
    },
    hide(...names) {
      for (const name of names) if (figures.delete(name)) tell({ type: "figure", name, figure: null });
    },
    figure: <Name extends FigureData["name"]>(name: Name) =>
      figures.get(name) as Extract<FigureData, { name: Name }> | undefined,
    figures: () => [...figures.values()],
    offer: (file) => tell({ type: "file", file }),
    subscribe(listener) {
      listeners.add(listener);
      listener({ type: "state", patch: state });
      for (const figure of figures.values()) listener({ type: "figure", name: figure.name, figure });
      return () => listeners.delete(listener);
    },
  };
}

/** States are small and plain: what reads the same is the same. */
const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
