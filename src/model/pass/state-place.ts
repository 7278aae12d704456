import { memoryStore, type RowStore } from "./row-store.js";

/** Number type of hidden states between the parts of a model. */
export type StateType = "float32" | "float16";
/** All of them. */
export const stateTypes = ["float32", "float16"] as const satisfies readonly StateType[];

/** The hidden states of a text behind some of its model's layers. */
export interface StateSize {
  /** How many layers they went through. */
  readonly layers: number;
  /** Contexts, and numbers of each. */
  readonly rows: number;
  readonly width: number;
}

/** A store of hidden states behind some layers. */
export interface StateRows extends RowStore {
  /** Says that all rows are there: from here on an interrupted pass can go on from them. */
  complete(): Promise<void>;
  /** Closes it at an interruption: where its place keeps things for another run, what is complete stays. */
  leave(): Promise<void>;
}

/** The states that a pass goes on from. */
export interface ReachedStates {
  readonly layers: number;
  readonly states: StateRows;
}

/** Where hidden states lie between the parts of a model whose layers take turns. */
export interface StatePlace {
  /** For people: "the temporary folder". */
  readonly name: string;
  readonly type: StateType;
  /** Bytes that fit there; undefined where that isn't known. */
  room(): Promise<number | undefined>;
  /** Makes an empty store for them. */
  create(size: StateSize): Promise<StateRows>;
  /**
   * What an interrupted pass over the same windows left: the states behind the most layers.
   * @param sizes that would do
   */
  found(sizes: readonly StateSize[]): Promise<ReachedStates | undefined>;
}

/** Memory: for browsers, and for the few windows that are run between others. */
export function memoryPlace(): StatePlace {
  return {
    name: "memory",
    type: "float32",
    room: async () => undefined,
    create: async () => temporaryStates(memoryStore()),
    found: async () => undefined,
  };
}

/** States that nothing is kept of. */
export function temporaryStates(rows: RowStore): StateRows {
  return { ...rows, complete: async () => {}, leave: () => rows.release() };
}
