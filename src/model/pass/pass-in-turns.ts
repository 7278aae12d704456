import { untilAborted } from "../../engine/until-aborted.js";
import { InputError } from "../../errors.js";
import { bytesPerElement } from "../../tensor/dtype.js";
import type { LayerRange } from "../architecture.js";
import { widthBehind } from "./layer-parts.js";
import { contextsIn, type PartedModel, type TurnOptions, throughParts } from "./layers-in-turn.js";
import { bytesText, type MemoryLimit, partsWithin } from "./memory-limit.js";
import type { MemoryNeeds } from "./memory-needs.js";
import { memoryPlace, type StatePlace, type StateRows, type StateType } from "./state-place.js";
import type { PassWindows } from "./text-pass.js";
import { type Windows, windowBatches } from "./window-batches.js";

/** A model that is too large for its memory limit, and how it is run. */
export interface LimitedModel extends PartedModel {
  readonly needs: MemoryNeeds;
  readonly limit: MemoryLimit;
  readonly checkWeights: TurnOptions["checkWeights"];
}

const bytesOf = { float32: bytesPerElement.F32, float16: bytesPerElement.F16 } satisfies Record<StateType, number>;

/** Passes through layers that take turns: all windows have gone through all of them before the first hidden state is read. */
export function passInTurns(model: LimitedModel): PassWindows {
  const { description, needs, limit } = model;
  return async (windows, { skip = 0, place = limit.place, signal } = {}) => {
    const all = await collected(signal ? untilAborted(windows, signal) : windows);
    const sizeBehind = (layers: number) => ({ layers, rows: tokensIn(all), width: widthBehind(description, layers) });
    const reached = await place.found(needs.layers.map((_, layer) => sizeBehind(layer + 1)));
    // Where nothing was kept, what is not wanted any more need not be run again.
    const batches = await collected(windowBatches(each(reached ? all : all.slice(skip))));
    const states = await throughAll(model, batches, { place, reached, signal });
    const read = reached && skip > 0 ? await collected(windowBatches(each(all.slice(skip)))) : batches;
    const starts = new Map<Windows, number>();
    let start = reached ? tokensIn(all.slice(0, skip)) : 0;
    for (const batch of read) {
      starts.set(batch, start);
      start += batch.tokenIds.length;
    }
    const d = description.hiddenSize;
    return {
      batches: each(read),
      async hiddenOf(batch) {
        const from = starts.get(batch)!;
        return states!.read(from * d, (from + batch.tokenIds.length) * d);
      },
      release: async () => (signal?.aborted ? states?.leave() : states?.release()),
    };
  };
}

/** Runs a few windows, through memory. */
export async function hiddenInTurns(model: LimitedModel, windows: Windows): Promise<Float32Array> {
  const { name, needs, limit, checkWeights } = model;
  const parts = partsWithin(name, needs, limit, { first: 0, contextLength: windows.length });
  const states = await throughParts(model, [windows], parts, { place: memoryPlace(), checkWeights });
  return states.read(0, windows.tokenIds.length * model.description.hiddenSize);
}

/** @returns undefined where there are no windows @throws InputError before the work where memory or the disk is too small */
async function throughAll(
  model: LimitedModel,
  batches: readonly Windows[],
  { place, reached, signal }: Pick<TurnOptions, "place" | "reached" | "signal">,
): Promise<StateRows | undefined> {
  if (batches.length === 0) return undefined;
  const { name, needs, limit, checkWeights } = model;
  const { onNotice, onProgress } = limit;
  const count = needs.layers.length;
  const first = reached?.layers ?? 0;
  if (reached) onNotice?.(`going on behind layer ${first} of ${count}, which an interrupted run had reached`);
  if (first === count) return reached!.states;
  try {
    const contextLength = batches.reduce((longest, { length }) => Math.max(longest, length), 0);
    const parts = partsWithin(name, needs, limit, { first, contextLength });
    const bytes = await bytesOfStates(model, contextsIn(batches), parts, place, reached !== undefined);
    const largest = Math.max(...parts.map((part) => part.end - part.first));
    onNotice?.(`${largest} of ${count} layers at a time; ${bytesText(bytes)} of hidden states in ${place.name}`);
    return await throughParts(model, batches, parts, {
      ...{ place, reached, checkWeights, onProgress, signal },
      onError: ({ share, contexts }) =>
        onNotice?.(
          `float16 between layers changed hidden states by ${share.toExponential(1)} of the largest at most, in the first ${contexts} tokens`,
        ),
    });
  } catch (problem) {
    await reached?.states.leave();
    throw problem;
  }
}

/**
 * Bytes of the states before and behind a part, of which both are there while it runs.
 * @param held whether those before the first are there already
 * @throws InputError if the place has not as much room
 */
async function bytesOfStates(
  { name, description }: LimitedModel,
  contexts: number,
  parts: readonly LayerRange[],
  place: StatePlace,
  held: boolean,
): Promise<number> {
  const bytesBehind = (layers: number) => contexts * widthBehind(description, layers) * bytesOf[place.type];
  const bytesBefore = ({ first }: LayerRange) => (first === 0 ? 0 : bytesBehind(first));
  const most = Math.max(...parts.map((part) => bytesBefore(part) + bytesBehind(part.end)));
  const needed = held ? most - bytesBefore(parts[0]!) : most;
  const room = await place.room();
  if (room === undefined || room >= needed) return most;
  throw new InputError(
    name,
    `needs ${bytesText(needed)} for hidden states in ${place.name}, which has room for ${bytesText(room)}: ` +
      "make room, take fewer tokens, or --hidden-dtype float16 (hiddenType), which takes half",
  );
}

const tokensIn = (windows: readonly Int32Array[]): number => windows.reduce((total, { length }) => total + length, 0);

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
