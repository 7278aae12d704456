import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, noise, openHubSession } from "../../../../test/support/hub-session.js";
import { openHubFolder } from "../hub-folder.js";
import type { HubOptions } from "../repository.js";

const size = 400_000;
const weights = noise(size);
const files = { "config.json": '{"model_type": "gpt2"}', "model.safetensors": weights };
let session: HubSession;
beforeEach(async () => {
  session = await openHubSession();
  await session.hub.add("org/name", "main", files);
});
afterEach(() => session.close());

/** @returns whether what is read is what the hub has (comparing that much through a matcher takes seconds) */
async function fetchWeights(options: HubOptions = {}): Promise<boolean> {
  const { environment, retry } = session;
  const folder = await openHubFolder("org/name", { environment, retry, ...options });
  const source = await folder.open("model.safetensors");
  return source?.size === size && Buffer.from(await source.read(0, size)).equals(weights);
}

const blobs = () => readdir(join(session.environment.cacheFolder, "models--org--name/blobs"));
const partial = async () => (await blobs()).filter((name) => name.endsWith(".incomplete"));
const ranges = () => session.hub.requests.filter(({ at }) => at === "cdn").map(({ range }) => range);

/** Nothing bears the name of the weights, in the cache or in a snapshot. */
async function expectNoWeights(): Promise<void> {
  const names = await readdir(session.folder, { recursive: true });
  expect(names.filter((name) => name.endsWith("model.safetensors"))).toEqual([]);
  expect((await blobs()).filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([]);
}

describe("download", () => {
  test("goes on after a cut, and asks for no byte twice", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 100_000 }, { at: "cdn", cutAfter: 50_000 });
    expect(await fetchWeights()).toBe(true);
    expect(ranges()).toEqual([undefined, "bytes=100000-399999", "bytes=150000-399999"]);
    expect(session.hub.bytesSent(/signature/)).toBe(size);
    expect(await partial()).toEqual([]);
  });

  test("goes on where an interrupted run stopped", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 250_000 }, { at: "cdn", status: 503, times: 5 });
    await expect(fetchWeights()).rejects.toThrow(/^org\/name\/model.safetensors: .* status 503 \(tried 6 times\)/);
    await expectNoWeights();
    expect(await partial()).toHaveLength(1);
    session.hub.requests.length = 0;
    const progress: number[] = [];
    expect(await fetchWeights({ onProgress: ({ received }) => progress.push(received) })).toBe(true);
    expect(ranges()).toEqual(["bytes=250000-399999"]);
    expect(progress[0]).toBe(250_000);
    expect(await partial()).toEqual([]);
  });

  test("stops when it is aborted, keeps what it has, and goes on from it", async () => {
    const controller = new AbortController();
    session.hub.faults.push({ at: "cdn", stallAfter: 123_000 });
    const running = fetchWeights({
      signal: controller.signal,
      onProgress: ({ file, received }) => {
        if (file === "model.safetensors" && received > 123_000) controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    await expectNoWeights();
    session.hub.requests.length = 0;
    expect(await fetchWeights()).toBe(true);
    expect(ranges()).toEqual(["bytes=123000-399999"]);
  });

  test("does nothing when it is aborted before", async () => {
    await expect(fetchWeights({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(session.hub.requests).toEqual([]);
  });

  test("lets a silent server go", async () => {
    session.hub.faults.push({ at: "cdn", stallAfter: 1000 });
    expect(await fetchWeights({ retry: { ...session.retry, longestSilence: 100 } })).toBe(true);
    expect(ranges()).toEqual([undefined, "bytes=1000-399999"]);
  });

  test("starts again, and keeps nothing twice, where the server ignores ranges", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 100_000 }, { at: "cdn", ignoreRange: true });
    expect(await fetchWeights()).toBe(true);
    expect(session.hub.bytesSent(/signature/)).toBe(size + 100_000);
  });

  test("refuses a file with another hash, and keeps nothing of it", async () => {
    session.hub.faults.push({ at: "cdn", body: noise(size, 7), times: 2 });
    await expect(fetchWeights()).rejects.toThrow(
      /^org\/name\/model.safetensors: does not have the hash that the hub gives \([0-9a-f]{64}\): nothing was kept of it/,
    );
    await expectNoWeights();
    expect(await partial()).toEqual([]);
    expect(ranges()).toHaveLength(1);
  });

  test("refuses a small file with another hash", async () => {
    session.hub.faults.push({ path: /config.json/, body: '{"model_type": "opt2"}' });
    await expect(fetchWeights()).rejects.toThrow(/^org\/name\/config.json: does not have the hash .* \([0-9a-f]{40}\)/);
  });

  test("does not trust what another run left: fetches it again when the hash is wrong", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 1000 }, { at: "cdn", status: 500, times: 5 });
    await expect(fetchWeights()).rejects.toThrow("status 500");
    const [name] = await partial();
    await writeFile(join(session.environment.cacheFolder, "models--org--name/blobs", name!), noise(5000, 9));
    session.hub.requests.length = 0;
    const progress: number[] = [];
    expect(await fetchWeights({ onProgress: ({ received }) => progress.push(received) })).toBe(true);
    expect(ranges()).toEqual(["bytes=5000-399999", undefined]);
    expect(progress.at(-1)).toBe(size);
    expect(await partial()).toEqual([]);
  });

  test.each([
    ["announces another length", noise(size + 1), /announces 400001 bytes where the hub's listing has 400000/],
    ["is too short", noise(size - 1), /announces 399999 bytes where the hub's listing has 400000/],
  ])("refuses a file that %s", async (_, body, problem) => {
    session.hub.faults.push({ at: "cdn", body, times: 10 });
    await expect(fetchWeights()).rejects.toThrow(problem);
    await expectNoWeights();
  });

  test("refuses a file that is longer than the server says", async () => {
    session.hub.faults.push({ at: "cdn", body: noise(size + 5), chunked: true });
    await expect(fetchWeights()).rejects.toThrow(/is longer than the 400000 bytes of the hub's listing/);
    await expectNoWeights();
  });

  test("survives a server that announces more than it sends", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: size - 1 });
    expect(await fetchWeights()).toBe(true);
    expect(ranges().at(-1)).toBe("bytes=399999-399999");
  });

  test("refuses other bytes than asked for", async () => {
    session.hub.faults.push(
      { at: "cdn", cutAfter: 1000 },
      { at: "cdn", headers: { "content-range": "bytes 0-399998/400000" } },
    );
    await expect(fetchWeights()).rejects.toThrow(/sends other bytes than asked for \(bytes 0-399998\/400000\)/);
  });

  test("waits as long as the server asks, or else longer each time", async () => {
    session.hub.faults.push(
      { at: "hub", path: /revision/, status: 429, headers: { "retry-after": "7" } },
      { at: "hub", path: /revision/, status: 429, headers: { ratelimit: '"api";r=0;t=42' } },
      { at: "hub", path: /tree/, status: 502 },
      { at: "hub", path: /tree/, status: 504 },
      { at: "hub", path: /tree/, status: 500 },
      { at: "cdn", status: 403 },
    );
    expect(await fetchWeights()).toBe(true);
    const [seconds, limit, ...usual] = session.waits;
    expect([seconds, limit]).toEqual([7000, 42_000]);
    for (const [i, milliseconds] of [500, 1000, 2000, 500].entries()) {
      expect(usual[i]).toBeGreaterThanOrEqual(0.75 * milliseconds);
      expect(usual[i]).toBeLessThanOrEqual(1.25 * milliseconds);
    }
    expect(usual).toHaveLength(4);
  });

  test("does not wait for an hour", async () => {
    session.hub.faults.push({ path: /revision/, status: 429, headers: { "retry-after": "3600" } });
    await expect(fetchWeights()).rejects.toThrow(
      /limits the number of requests and asks to wait 3600 s: try again after that/,
    );
    expect(session.waits).toEqual([]);
  });

  test("gives up on a server that cuts every connection early", async () => {
    session.hub.faults.push({ at: "cdn", cutAfter: 10, times: 1000 });
    await expect(fetchWeights()).rejects.toThrow(/cut the connection \(tried 6 times\)/);
    expect(ranges()).toHaveLength(6);
  });

  test("gives up on a circle of redirects, and follows none to a file", async () => {
    const to = (location: string) => ({ path: /resolve.*safetensors/, status: 302, headers: { location }, times: 100 });
    session.hub.faults.push(to("/org/name/resolve/main/model.safetensors"));
    await expect(fetchWeights()).rejects.toThrow(/redirects more than 5 times/);
    session.hub.faults.splice(0, 1, to("file:///etc/passwd"));
    await expect(fetchWeights()).rejects.toThrow(/redirects to an address that cannot be followed safely/);
  });

  test("two at once bring the same file, whole", async () => {
    const [a, b] = await Promise.all([fetchWeights(), fetchWeights()]);
    expect(a).toBe(true);
    expect(b).toBe(true);
    expect(await partial()).toEqual([]);
  });

  test("one failure stops the others, and nothing goes on in the background", async () => {
    session.hub.faults.push({ path: /config.json/, status: 410 }, { at: "cdn", stallAfter: 10 });
    await expect(fetchWeights({ retry: { ...session.retry, longestSilence: 60_000 } })).rejects.toThrow("status 410");
    await expectNoWeights();
  });

  test("writes what the server sent", async () => {
    await fetchWeights();
    const [name] = (await blobs()).filter((blob) => blob.length === 64);
    const path = join(session.environment.cacheFolder, "models--org--name/blobs", name!);
    expect((await readFile(path)).equals(weights)).toBe(true);
  });
});
