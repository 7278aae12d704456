import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, noise, openHubSession } from "../../../../test/support/hub-session.js";
import { parseHubReference } from "../../../hub/reference.js";
import { bytesSource } from "../../../tensor/byte-source.js";
import { readTensor } from "../../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { readTorchTensors } from "../../../tensor/torch/torch-zip.js";
import { openHubFolder } from "../hub-folder.js";
import type { HubOptions } from "../repository.js";
import { fetchRemoteEmbedding } from "./remote-embedding.js";

const rows = 4000;
const width = 16;
const embedding = new Float32Array(noise(rows * width, 3));
const other = new Float32Array(noise(50_000, 4));
const checkpoint = writeSafetensors([
  { name: "embed_out.weight", dtype: "F32", shape: [rows, width], data: embedding },
  { name: "a.weight", dtype: "F32", shape: [50_000], data: other },
  { name: "z.weight", dtype: "F32", shape: [50_000], data: other },
]);
const headerBytes = Number(new DataView(checkpoint.buffer).getBigUint64(0, true));
const needed = 8 + headerBytes + embedding.byteLength;

let session: HubSession;
beforeEach(async () => {
  session = await openHubSession();
  await session.hub.add("org/name", "main", { "config.json": "{}", "model.safetensors": checkpoint });
});
afterEach(() => session.close());

function fetchEmbedding(reference: string, name?: string, options: HubOptions = {}) {
  const { environment, retry } = session;
  return fetchRemoteEmbedding(parseHubReference(reference), name, { environment, retry, ...options });
}

const sent = () => session.hub.bytesSent(/signature/);
const assets = () => readdir(session.environment.assetsFolder, { recursive: true });
const offline = () => ({ environment: { ...session.environment, offline: true } });

async function expectEmbedding({ entry }: Awaited<ReturnType<typeof fetchRemoteEmbedding>>): Promise<void> {
  expect(entry).toMatchObject({ name: "embed_out.weight", dtype: "F32", shape: [rows, width] });
  expect(Buffer.from((await readTensor(entry)).buffer).equals(Buffer.from(embedding.buffer))).toBe(true);
}

describe("fetchRemoteEmbedding", () => {
  test("fetches the header's length, the header and the tensor, and not a byte more", async () => {
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight"));
    expect(sent()).toBe(needed);
    expect(needed).toBeLessThan(checkpoint.byteLength - 2 * other.byteLength + 1);
    expect(session.hub.requests.filter(({ path }) => path.includes("/resolve/"))).toHaveLength(1);
  });

  test("keeps it: the next time nothing but the commit is asked for, and offline nothing", async () => {
    await fetchEmbedding("org/name", "embed_out.weight");
    session.hub.requests.length = 0;
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight"));
    expect(session.hub.requests).toHaveLength(1);
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight", offline()));
    expect(session.hub.requests).toHaveLength(1);
    await expect(fetchEmbedding("org/name", "a.weight", offline())).rejects.toThrow(
      /^org\/name: is not in .*HF_HUB_OFFLINE is set/,
    );
    // Apart from the hub's own files, which Python's tools look after.
    expect(await readdir(session.folder)).toEqual(["assets"]);
    expect((await assets()).filter((name) => name.endsWith(".safetensors"))).toEqual([
      expect.stringMatching(/^unembed\/models--org--name\/[0-9a-f]{40}\/output-embedding-[0-9a-f]{32}.safetensors$/),
    ]);
  });

  test("uses what it has when the hub is away", async () => {
    await fetchEmbedding("org/name", "embed_out.weight");
    session.hub.faults.push({ status: 503, times: 100 });
    const notices: string[] = [];
    await expectEmbedding(
      await fetchEmbedding("org/name", "embed_out.weight", { onNotice: (line) => notices.push(line) }),
    );
    expect(notices).toEqual([expect.stringMatching(/status 503 .*; using what was fetched before$/)]);
  });

  test("finds the shard through the index", async () => {
    await session.hub.add("org/llama", "main", "test/goldens/arch/llama_sharded_bf16");
    const { entry } = await fetchEmbedding("org/llama");
    expect(entry).toMatchObject({ dtype: "BF16", shape: [160, 32] });
    const numbers = await readTensor(entry);
    expect(Array.from(numbers.subarray(0, 4))).toEqual([-0.203125, 0.11572265625, -0.09228515625, -0.2373046875]);
    expect(numbers.at(-1)).toBe(0.2470703125);
    const shard = await readFile("test/goldens/arch/llama_sharded_bf16/model-00001-of-00002.safetensors");
    expect(sent()).toBe(8 + Number(shard.readBigUInt64LE(0)) + 160 * 32 * 2);
    await expect(fetchEmbedding("org/llama", "nope")).rejects.toThrow(
      'org/llama/model.safetensors.index.json: field weight_map: has no tensor "nope"',
    );
  });

  test("reads names behind a wrapper's, and what the shards hold where the index leaves it out", async () => {
    const f32 = { dtype: "F32" as const, shape: [rows, width], data: embedding };
    const shards = {
      "a.safetensors": writeSafetensors([
        { name: "_orig_mod.model.embed_tokens.weight", ...f32, data: new Float32Array(rows * width) },
      ]),
      "b.safetensors": writeSafetensors([{ name: "_orig_mod.lm_head.weight", ...f32 }]),
    };
    const index = (weight_map: object) => ({
      ...shards,
      "model.safetensors.index.json": JSON.stringify({ weight_map }),
    });
    await session.hub.add("org/listed", "main", index({ "_orig_mod.lm_head.weight": "b.safetensors" }));
    const left = {
      "_orig_mod.model.embed_tokens.weight": "a.safetensors",
      "_orig_mod.model.norm.weight": "b.safetensors",
    };
    await session.hub.add("org/left", "main", index(left));
    await session.hub.add("org/single", "main", { "model.safetensors": shards["b.safetensors"] });
    for (const name of ["org/listed", "org/left", "org/single"]) {
      const notices: string[] = [];
      const { entry } = await fetchEmbedding(name, undefined, { onNotice: (line) => notices.push(line) });
      expect(entry).toMatchObject({ name: "lm_head.weight", shape: [rows, width] });
      expect(Buffer.from((await readTensor(entry)).buffer).equals(Buffer.from(embedding.buffer))).toBe(true);
      expect(notices).toEqual([expect.stringMatching(/read without "_orig_mod\.", which a wrapper put there$/)]);
    }
  });

  test("takes it from the whole file where that is in the cache", async () => {
    const { environment, retry } = session;
    await openHubFolder("org/name", { environment, retry });
    session.hub.requests.length = 0;
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight"));
    expect(sent()).toBe(0);
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight", offline()));
  });

  test("goes on after an interruption", async () => {
    const source = { at: "cdn" as const };
    session.hub.faults.push(
      { ...source },
      { ...source },
      { ...source, cutAfter: 100_000 },
      { ...source, status: 500, times: 5 },
    );
    await expect(fetchEmbedding("org/name", "embed_out.weight")).rejects.toThrow(/status 500 \(tried 6 times\)/);
    expect((await assets()).filter((name) => name.endsWith(".safetensors"))).toEqual([]);
    session.hub.requests.length = 0;
    const progress: number[] = [];
    const onProgress: HubOptions["onProgress"] = ({ received, total }) => progress.push(received / total);
    await expectEmbedding(await fetchEmbedding("org/name", "embed_out.weight", { onProgress }));
    expect(sent()).toBe(needed - 100_000);
    expect(progress[0]).toBeGreaterThan(0.35);
    expect(progress.at(-1)).toBe(1);
    expect((await assets()).filter((name) => name.includes("incomplete"))).toEqual([]);
  });

  test("reads on from the start where the server ignores ranges, and says so", async () => {
    session.hub.faults.push({ at: "cdn", ignoreRange: true, times: 100 });
    const notices: string[] = [];
    await expectEmbedding(
      await fetchEmbedding("org/name", "embed_out.weight", { onNotice: (line) => notices.push(line) }),
    );
    expect(session.hub.requests.filter(({ at }) => at === "cdn")).toHaveLength(1);
    expect(notices).toHaveLength(1);
  });

  test("names what there is instead", async () => {
    await expect(fetchEmbedding("org/name", "lm_head.weight")).rejects.toThrow(
      'org/name/model.safetensors: has no tensor "lm_head.weight" (it has "a.weight", "embed_out.weight", "z.weight")',
    );
    await session.hub.add("org/none", "main", { "config.json": "{}" });
    await expect(fetchEmbedding("org/none")).rejects.toThrow(
      "org/none: has no weights: looked for model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json",
    );
    await session.hub.add("org/index", "main", {
      "model.safetensors.index.json": JSON.stringify({ weight_map: { "a.weight": "a.safetensors" } }),
    });
    await expect(fetchEmbedding("org/index")).rejects.toThrow('lists the shard "a.safetensors", which is missing');
    await session.hub.add("org/bad", "main", { "model.safetensors": "no header here" });
    await expect(fetchEmbedding("org/bad", "lm_head.weight")).rejects.toThrow(
      /^org\/bad\/model.safetensors: header length \d+ is beyond the end/,
    );
  });

  test("keeps tensors of any name inside its folder", async () => {
    const name = "../../../evil/\u0000 name";
    const bytes = writeSafetensors([{ name, dtype: "F32", shape: [1, 2], data: new Float32Array([1, 2]) }]);
    await session.hub.add("org/evil", "main", { "model.safetensors": bytes });
    const { entry } = await fetchEmbedding("org/evil", name);
    expect(await readTensor(entry)).toEqual(new Float32Array([1, 2]));
    const written = (await assets()).filter((path) => path.endsWith(".safetensors"));
    expect(written).toEqual([
      expect.stringMatching(/^unembed\/models--org--evil\/[0-9a-f]{40}\/output-embedding-[0-9a-f]{32}.safetensors$/),
    ]);
  });

  test("of pytorch_model.bin reads the directory, the pickle and the one record that is needed", async () => {
    const bytes = new Uint8Array(await readFile("test/goldens/torch/kinds.bin"));
    const all = [...(await readTorchTensors(bytesSource("kinds", bytes))).values()];
    const wanted = all.find(({ shape }) => shape.length === 2 && !shape.includes(0))!;
    await session.hub.add("org/name", "step1", { "pytorch_model.bin": bytes });
    const { hub } = session;
    const { entry, fetchedBytes } = await fetchEmbedding("org/name@step1", wanted.name);
    expect(await readTensor(entry)).toEqual(await readTensor(wanted));
    expect(fetchedBytes).toBe(hub.bytesSent(/signature/));
    const ranges = hub.requests.flatMap(({ at, range }) => (at === "cdn" && range ? [range] : []));
    const read = ranges.map((range) => /(\d+)-(\d+)/.exec(range)!.slice(1).map(Number) as [number, number]);
    // Of the other tensors, neither the numbers nor the headers of their records are read.
    for (const { name, offset, byteLength } of all) {
      if (offset === wanted.offset || byteLength === 0) continue;
      expect(
        read.filter(([start, end]) => start < offset + byteLength && end >= offset - 1),
        name,
      ).toEqual([]);
    }
    expect(new Set(ranges).size).toBe(ranges.length);
    expect(ranges.length).toBeLessThan(all.length);
  });
});
