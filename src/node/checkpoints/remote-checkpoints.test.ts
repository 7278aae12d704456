import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, noise, openHubSession } from "../../../test/support/hub-session.js";
import { countFrequencies } from "../../dynamics/inputs/frequencies.js";
import { dynamics } from "../../dynamics/watch.js";
import { parseHubReference } from "../../hub/reference.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import type { CheckpointOptions } from "./checkpoint-options.js";
import { openCheckpoints } from "./checkpoints.js";
import { listSteps } from "./remote-checkpoints.js";

const rows = 400;
const width = 8;
const steps = [0, 1, 2, 4, 8, 1000];

function embeddingOf(step: number): Float32Array {
  const data = Float32Array.from(noise(rows * width, step + 1), (byte) => byte / 256);
  for (let w = 0; w < rows; w++) data[w * width]! += (step / 1000) * 5 * Math.log(w + 1);
  return data;
}

/** A checkpoint in which the output embedding lies between other tensors, ten times its size. */
function checkpointOf(step: number): Uint8Array {
  const other = new Float32Array(noise(rows * width * 5, 7));
  return writeSafetensors([
    { name: "a.weight", dtype: "F32", shape: [other.length], data: other },
    { name: "embed_out.weight", dtype: "F32", shape: [rows, width], data: embeddingOf(step) },
    { name: "z.weight", dtype: "F32", shape: [other.length], data: other },
  ]);
}

const one = checkpointOf(0);
const headerBytes = Number(new DataView(one.buffer).getBigUint64(0, true));
const needed = 8 + headerBytes + rows * width * 4;

let session: HubSession;
beforeEach(async () => {
  session = await openHubSession();
  for (const step of steps) {
    const files = { "config.json": "{}", "model.safetensors": checkpointOf(step) };
    await session.hub.add("org/run", `step${step}`, files);
  }
  refs(["main", "step0", "step1", "step2", "step4", "step8", "step1000"]);
});
afterEach(() => session.close());

/** What the hub answers to the question for its revisions. */
function refs(names: string[], times = 100): void {
  const branches = names.map((name) => ({ name, ref: `refs/heads/${name}`, targetCommit: "0" }));
  session.hub.faults.unshift({
    path: /\/refs$/,
    status: 200,
    body: JSON.stringify({ branches, tags: [], converts: [] }),
    times,
  });
}

function open(patterns: string[], options: CheckpointOptions = {}) {
  const { environment, retry } = session;
  return openCheckpoints(patterns, { environment, retry, ...options });
}

const sent = () => session.hub.bytesSent(/signature/);
const counts = Float64Array.from({ length: rows }, (_, w) => Math.floor(1e6 / (w + 1)));
const frequencies = (vocabSize: number) => countFrequencies({ counts, source: "counts", vocabSize, seenOnly: false });

describe("checkpoints on the hub", () => {
  test("are probed with the header and the output embedding of each, and not a byte more", async () => {
    const { checkpoints, fetched } = await open(["org/run@step{0,1,...,8,1000}"]);
    const result = await dynamics(checkpoints, { frequencies });
    expect(result.probes.map(({ step, name }) => [step, name])).toEqual(
      steps.map((step) => [step, `org/run@step${step}`]),
    );
    expect(result.probes.at(-1)!.crossValidatedR2).toBeGreaterThan(0.9);
    expect(result.probes[0]!.crossValidatedR2).toBeLessThan(0.05);
    expect(sent()).toBe(steps.length * needed);
    expect(fetched()).toEqual({ bytes: steps.length * needed, checkpointBytes: steps.length * one.byteLength });
    const resolved = session.hub.requests.filter(({ at, path }) => at === "hub" && path.includes("/resolve/"));
    expect(resolved.every(({ path }) => path.endsWith("/model.safetensors"))).toBe(true);
  });

  test("are fetched once: the next time, and offline, from the cache", async () => {
    const pattern = ["org/run@step{0,1000}"];
    for (const { outputEmbedding } of (await open(pattern)).checkpoints) await outputEmbedding();
    const before = sent();
    const again = await open(pattern);
    for (const { outputEmbedding, step } of again.checkpoints) {
      expect(await readTensor(await outputEmbedding())).toEqual(embeddingOf(step));
    }
    expect(again.fetched()!.bytes).toBe(0);
    session.hub.requests.length = 0;
    const offline = await open(pattern, { environment: { ...session.environment, offline: true } });
    for (const { outputEmbedding } of offline.checkpoints) await outputEmbedding();
    expect(session.hub.requests).toEqual([]);
    expect(before).toBe(2 * needed);
  });

  test("of a cut connection, only what is missing is asked for again", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 5000, path: /signature/ });
    session.hub.faults.push({ at: "cdn", cutAfter: 5000, path: /signature/ });
    const { checkpoints } = await open(["org/run@step{0,1000}"]);
    expect(await readTensor(await checkpoints[0]!.outputEmbedding())).toEqual(embeddingOf(0));
    expect(sent()).toBeLessThan(needed + 2 * 5000);
  });

  test("go on where an earlier run was cut off", async () => {
    session.hub.faults.push(
      { at: "cdn" },
      { at: "cdn" },
      { at: "cdn", cutAfter: 5000 },
      { at: "cdn", status: 500, times: 50 },
    );
    const first = await open(["org/run@step{0,1000}"]);
    await expect(first.checkpoints[0]!.outputEmbedding()).rejects.toThrow(/status 500/);
    session.hub.faults.length = 0;
    refs(["step0", "step1000"]);
    const before = sent();
    const { checkpoints } = await open(["org/run@step{0,1000}"]);
    expect(await readTensor(await checkpoints[0]!.outputEmbedding())).toEqual(embeddingOf(0));
    expect(sent() - before).toBe(needed - 5000);
  });

  test("from a server that ignores ranges come all the same, and it is said", async () => {
    session.hub.faults.push({ at: "cdn", ignoreRange: true, times: 100 });
    const notices: string[] = [];
    const { checkpoints } = await open(["org/run@step{0,1000}"], { onNotice: (line) => notices.push(line) });
    expect(await readTensor(await checkpoints[0]!.outputEmbedding())).toEqual(embeddingOf(0));
    expect(notices).toEqual([expect.stringMatching(/^org\/run@step0\/model.safetensors: .* ignores range requests/)]);
  });

  test("in PyTorch's format, give only the record that is needed", async () => {
    const state = await readFile("test/goldens/torch/state_dict.bin");
    await session.hub.add("org/old", "step5", { "config.json": "{}", "pytorch_model.bin": state });
    refs(["step5"]);
    const { checkpoints, fetched } = await open(["org/old@step5"]);
    const entry = await checkpoints[0]!.outputEmbedding();
    const record = entry.byteLength;
    expect(entry.name).toBe("lm_head.weight");
    // Of the rest, the directory at the end, the pickle, and the header of each record.
    const { bytes, checkpointBytes } = fetched()!;
    expect(checkpointBytes).toBe(state.byteLength);
    expect(bytes).toBe(sent());
    expect(bytes).toBeGreaterThan(record);
    expect(bytes).toBeLessThan(state.byteLength);
  });

  test("in shards, give what lies in the one that the index names", async () => {
    await session.hub.add("org/llama", "step5", "test/goldens/arch/llama_sharded_bf16");
    refs(["step5"]);
    const { checkpoints } = await open(["org/llama@step5"]);
    expect(await checkpoints[0]!.outputEmbedding()).toMatchObject({ name: "lm_head.weight", shape: [160, 32] });
    const shards = session.hub.requests.filter(({ path }) => /\/resolve\/.*\.safetensors$/.test(path));
    expect(new Set(shards.map(({ path }) => path)).size).toBe(1);
  });

  test("that are there as a whole are not fetched again", async () => {
    const { checkpoints } = await open(["org/run@step{4,8}"]);
    const tensors = await checkpoints[0]!.tensors();
    expect([...tensors.keys()]).toEqual(["a.weight", "embed_out.weight", "z.weight"]);
    const before = sent();
    expect(before).toBe(one.byteLength);
    expect(await readTensor(await checkpoints[0]!.outputEmbedding())).toEqual(embeddingOf(4));
    expect(sent()).toBe(before);
  });

  test("that do not exist are named before anything is fetched, with those near them", async () => {
    await expect(open(["org/run@step{0,1,3}"])).rejects.toThrow(
      /^org\/run@step3: org\/run has no revision step3; near it are step0, step1, step2, step4, step8, step1000$/,
    );
    expect(session.hub.requests.map(({ path }) => path)).toEqual(["/api/models/org/run/refs"]);
  });

  test("on a mirror that lists no revisions, are missed when they are fetched", async () => {
    session.hub.faults.length = 0;
    const { checkpoints } = await open(["org/run@step{0,3}"]);
    await expect(checkpoints[1]!.outputEmbedding()).rejects.toThrow(/has no branch, tag or commit step3/);
  });

  test("without a step in the revision, or without an output embedding, are refused", async () => {
    await expect(open(["org/run"])).rejects.toThrow(/^org\/run: has no training step in its revision/);
    const { checkpoints } = await open(["org/run@step0"], { tensor: "lm_head.weight" });
    await expect(checkpoints[0]!.outputEmbedding()).rejects.toThrow(
      /^org\/run@step0\/model.safetensors: has no tensor "lm_head.weight" \(it has "a.weight"/,
    );
  });

  test("are listed by step", async () => {
    refs(["main", "step1000", "step2", "step16", "refs-of-mine"], 1);
    const { environment, retry } = session;
    expect(await listSteps(parseHubReference("org/run"), { environment, retry })).toEqual([
      "step2",
      "step16",
      "step1000",
    ]);
  });
});
