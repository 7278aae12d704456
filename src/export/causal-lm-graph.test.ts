import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine, Session, Tensors } from "../engine/engine.js";
import { float32Output } from "../engine/engine.js";
import { emptyCache, nextCache } from "../model/layers/cache-tensors.js";
import { type Model, openModel } from "../model/model.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFileSource, openFolder } from "../node/files/file-source.js";
import { readIntegers, readSafetensorsHeader, readTensor } from "../tensor/safetensors/safetensors.js";
import { type CausalLmGraph, causalLmGraph } from "./causal-lm-graph.js";

const goldens = "test/goldens/arch/";

/**
 * Their rotary frequencies depend on the length of the text so far: keys that were cached when it was shorter keep
 * theirs, in PyTorch too, so that only one pass over everything can be compared.
 */
const lengthDependent = ["llama_dynamic_beyond", "phi3_longrope_v4config"];

/** What a runtime feeds: rows of ids of one length, padding as undefined. */
interface Batch {
  ids: (number | undefined)[][];
  past?: Tensors;
}

function feeds({ ids, past }: Batch, { cache }: CausalLmGraph, fresh: number): Tensors {
  const batch = ids.length;
  const total = ids[0]!.length;
  const integers = (rows: number[][]) => ({
    type: "int64" as const,
    data: BigInt64Array.from(rows.flat(), BigInt),
    dims: [batch, rows[0]!.length],
  });
  // As transformers counts them: tokens from 0, 1 under padding.
  const positions = ids.map((row) => {
    let next = 0;
    return row.map((id) => (id === undefined ? 1 : next++));
  });
  return {
    input_ids: integers(ids.map((row) => row.slice(total - fresh).map((id) => id ?? 0))),
    attention_mask: integers(ids.map((row) => row.map((id) => (id === undefined ? 0 : 1)))),
    position_ids: integers(positions.map((row) => row.slice(total - fresh))),
    ...(past === undefined ? emptyCache(cache, batch) : nextCache(cache, past)),
  };
}

function furthest(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  let distance = 0;
  let largest = 0;
  wanted.forEach((value, index) => {
    const here = Math.abs(found[index]! - value);
    distance = Number.isNaN(here) ? Number.POSITIVE_INFINITY : Math.max(distance, here);
    largest = Math.max(largest, Math.abs(value));
  });
  return distance / largest;
}

describe("the exported graph of every architecture", () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ threads: 1 });
  });
  afterAll(() => engine.close());

  async function open(name: string): Promise<{ model: Model; exported: CausalLmGraph; session: Session }> {
    const model = await openModel(openFolder(`${goldens}${name}`), engine, name);
    const exported = causalLmGraph(model, model.head);
    return { model, exported, session: await engine.load(exported.graph) };
  }

  async function expected(name: string): Promise<{ ids: number[][]; logits: Float32Array }> {
    const { tensors } = await readSafetensorsHeader(await openFileSource(`${goldens}${name}/expected.safetensors`));
    const flat = Array.from(await readIntegers(tensors.get("input_ids")!));
    const length = flat.length / 2;
    return { ids: [flat.slice(0, length), flat.slice(length)], logits: await readTensor(tensors.get("logits")!) };
  }

  it.each(readdirSync(goldens))("%s: at once, token by token, and beside padding", async (name) => {
    const { model, exported, session } = await open(name);
    const { ids, logits } = await expected(name);
    const length = ids[0]!.length;
    const { vocabSize } = model;
    const logitsOf = (outputs: Tensors) => float32Output(outputs, "logits");

    const atOnce = await session.run(feeds({ ids }, exported, length));
    expect(furthest(logitsOf(atOnce), logits)).toBeLessThan(1e-5);
    expect(Object.keys(atOnce)).toEqual(exported.graph.outputNames);

    if (lengthDependent.includes(name)) return;

    const some = Math.ceil(length / 3);
    const prompt = await session.run(feeds({ ids: ids.map((row) => row.slice(0, some)) }, exported, some));
    const rest = await session.run(feeds({ ids, past: prompt }, exported, length - some));
    const wanted = [0, 1].flatMap((row) =>
      Array.from(logits.subarray((row * length + some) * vocabSize, (row + 1) * length * vocabSize)),
    );
    expect(furthest(logitsOf(rest), Float32Array.from(wanted))).toBeLessThan(1e-5);

    // The second text shorter by three tokens, so that three places before it are padding.
    const padded = [ids[0]!, [undefined, undefined, undefined, ...ids[1]!.slice(0, -3)]];
    const first = await session.run(feeds({ ids: padded.map((row) => row.slice(0, -1)) }, exported, length - 1));
    const last = await session.run(feeds({ ids: padded, past: first }, exported, 1));
    const lastWanted = [length - 1, 2 * length - 4].flatMap((row) =>
      Array.from(logits.subarray(row * vocabSize, (row + 1) * vocabSize)),
    );
    expect(furthest(logitsOf(last), Float32Array.from(lastWanted))).toBeLessThan(1e-5);
  });
});
