import type { Model } from "../model/model.js";
import { type Windows, windowBatches } from "../model/pass/window-batches.js";

/** A model, and its own id of each shared one where they differ. */
export interface PassingModel {
  readonly model: Model;
  readonly ownIds: Int32Array | undefined;
}

/** The same windows on their way through two models. */
export interface PairedPasses {
  /** In shared ids. */
  readonly batches: AsyncIterable<Windows>;
  hiddenOf(batch: Windows): Promise<[a: Float32Array, b: Float32Array]>;
  release(): Promise<void>;
}

/** Runs windows of shared ids through two models, each batch through both, or through one after the other where layers take turns. */
export async function pairedPasses(
  a: PassingModel,
  b: PassingModel,
  windows: AsyncIterable<Int32Array>,
  signal: AbortSignal | undefined,
): Promise<PairedPasses> {
  if (!a.model.inTurns && !b.model.inTurns) {
    const hidden = ({ model, ownIds }: PassingModel, { tokenIds, ...sizes }: Windows) =>
      model.hiddenStates({ ...sizes, tokenIds: inOwnIds(tokenIds, ownIds) });
    return {
      batches: windowBatches(windows),
      hiddenOf: async (batch) => [await hidden(a, batch), await hidden(b, batch)],
      release: async () => {},
    };
  }
  const all: Int32Array[] = [];
  for await (const window of windows) all.push(window);
  const pass = ({ model, ownIds }: PassingModel) =>
    model.pass(
      each(all, (ids) => inOwnIds(ids, ownIds)),
      { signal },
    );
  const ofA = await pass(a);
  const ofB = await pass(b).catch(async (error) => {
    await ofA.release();
    throw error;
  });
  const own = new WeakMap<Windows, [a: Windows, b: Windows]>();
  async function* batches(): AsyncGenerator<Windows> {
    const [inA, inB] = [ofA.batches[Symbol.asyncIterator](), ofB.batches[Symbol.asyncIterator]()];
    for await (const batch of windowBatches(each(all, (ids) => ids))) {
      // Windows of the same lengths stand side by side in all three.
      own.set(batch, [(await inA.next()).value, (await inB.next()).value]);
      yield batch;
    }
  }
  return {
    batches: batches(),
    async hiddenOf(batch) {
      const [batchA, batchB] = own.get(batch)!;
      return [await ofA.hiddenOf(batchA), await ofB.hiddenOf(batchB)];
    },
    async release() {
      await Promise.all([ofA.release(), ofB.release()]);
    },
  };
}

/** Shared ids as a model with ids of its own reads them. */
function inOwnIds(ids: Int32Array, own: Int32Array | undefined): Int32Array {
  return own === undefined ? ids : ids.map((id) => own[id]!);
}

async function* each(windows: readonly Int32Array[], change: (ids: Int32Array) => Int32Array) {
  for (const window of windows) yield change(window);
}
