import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, noise, openHubSession } from "../../../test/support/hub-session.js";
import { InputError } from "../../errors.js";
import { openRemoteSource, type RemoteOptions } from "./remote-source.js";

const size = 300_000;
const bytes = noise(size);
let session: HubSession;
let address: string;
beforeEach(async () => {
  session = await openHubSession();
  await session.hub.add("org/name", "main", { "x.bin": bytes, "empty.bin": "", "short.bin": "12345" });
  address = file("x.bin");
});
afterEach(() => session.close());

const file = (name: string) => `${session.hub.endpoint}/org/name/resolve/main/${name}`;
const sent = () => session.hub.bytesSent(/signature/);
const cdn = () => session.hub.requests.filter(({ at }) => at === "cdn");

function open(options: Omit<RemoteOptions, "connection"> = {}, from = address, token?: string) {
  const { retry, hub } = session;
  return openRemoteSource(from, {
    connection: { endpoint: hub.endpoint, token, retry, signal: undefined },
    ...options,
  });
}

describe("openRemoteSource", () => {
  test("fetches the bytes that are read and no others", async () => {
    const source = await open();
    expect(source.size).toBe(size);
    expect(await source.read(0, 8)).toEqual(bytes.subarray(0, 8));
    expect(sent()).toBe(8);
    expect(await source.read(4, 8)).toEqual(bytes.subarray(4, 12));
    expect(await source.read(200_000, 1000)).toEqual(bytes.subarray(200_000, 201_000));
    expect(await source.read(size - 1, 1)).toEqual(bytes.subarray(size - 1));
    expect(await source.read(17, 0)).toEqual(new Uint8Array(0));
    expect(sent()).toBe(8 + 4 + 1000 + 1);
    expect(source.fetchedBytes()).toBe(sent());
    await expect(source.read(size, 1)).rejects.toThrow(InputError);
    await expect(source.read(-1, 1)).rejects.toThrow(InputError);
  });

  test("asks for nothing before it is read when the size is known, or for as much as wanted", async () => {
    const source = await open({ size });
    expect(session.hub.requests).toEqual([]);
    await source.read(1000, 10);
    expect(sent()).toBe(10);
    const eager = await open({ size, firstBytes: 65_536 });
    await eager.read(0, 8);
    await eager.read(8, 10_000);
    expect(sent()).toBe(10 + 65_536);
  });

  test("follows the redirect once, without the token, and again when the address has expired", async () => {
    const source = await open({}, address, "hf_mine");
    await source.read(100, 100);
    await source.read(200, 100);
    const hub = session.hub.requests.filter(({ at }) => at === "hub");
    expect(hub).toHaveLength(1);
    expect(hub[0]?.authorization).toBe("Bearer hf_mine");
    session.hub.faults.push({ at: "cdn", status: 403 });
    expect(await source.read(300, 100)).toEqual(bytes.subarray(300, 400));
    expect(session.hub.requests.filter(({ at }) => at === "hub")).toHaveLength(2);
    expect(new Set(cdn().map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
    expect(session.waits).toEqual([0]);
  });

  test("goes on after a cut, from the byte where it was", async () => {
    const source = await open({ size });
    session.hub.faults.push(
      { at: "cdn", cutAfter: 70_000 },
      { at: "cdn", cutAfter: 10_000 },
      { at: "cdn", status: 500 },
    );
    expect(Buffer.from(await source.read(1000, 200_000)).equals(bytes.subarray(1000, 201_000))).toBe(true);
    expect(cdn().map(({ range }) => range)).toEqual([
      "bytes=1000-200999",
      "bytes=71000-200999",
      "bytes=81000-200999",
      "bytes=81000-200999",
    ]);
    expect(sent()).toBe(200_000);
  });

  test("streams what it reads", async () => {
    const source = await open({ size });
    const parts: Uint8Array[] = [];
    for await (const chunk of source.stream(10, 250_000)) parts.push(Uint8Array.from(chunk));
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts).equals(bytes.subarray(10, 250_010))).toBe(true);
  });

  test("reads an empty file, and one shorter than the first request", async () => {
    const empty = await open({}, file("empty.bin"));
    expect(empty.size).toBe(0);
    expect(await empty.read(0, 0)).toEqual(new Uint8Array(0));
    const short = await open({}, file("short.bin"));
    expect(short.size).toBe(5);
    expect(await short.read(1, 3)).toEqual(new TextEncoder().encode("234"));
  });

  test.each([
    ["another place", { "content-range": `bytes 9-16/${size}` }],
    ["more than asked for", { "content-range": `bytes 0-17/${size}` }],
    ["nonsense", { "content-range": "bytes 0-7/0" }],
    ["an encoding", { "content-encoding": "x-unknown" }],
  ])("refuses a range of %s", async (_, headers) => {
    session.hub.faults.push({ at: "cdn", headers });
    await expect(open()).rejects.toThrow(/sends other bytes than asked for/);
  });

  test("refuses a file whose length has changed", async () => {
    await expect((await open({ size: size + 1 })).read(0, 8)).rejects.toThrow(
      /has 300000 bytes of it where 300001 are expected/,
    );
    await expect((await open({ size: size + 9 })).read(size, 8)).rejects.toThrow(/is shorter than expected/);
  });

  test("explains what cannot be had", async () => {
    await expect(open({}, "nonsense")).rejects.toThrow("nonsense: is not a web address");
    await expect(open({ name: "x" }, file("none.bin"))).rejects.toThrow(/^x: 127.0.0.1:\d+ answers with status 404$/);
    await expect(
      open(
        {
          name: "x",
          subject: { reference: { type: "model", name: "org/name", revision: "main", path: "" }, file: "none.bin" },
        },
        file("none.bin"),
      ),
    ).rejects.toThrow(/^org\/name: has no file none.bin; see /);
  });

  test("stops when it is aborted", async () => {
    const controller = new AbortController();
    const connection = {
      endpoint: session.hub.endpoint,
      token: undefined,
      retry: session.retry,
      signal: controller.signal,
    };
    const source = await openRemoteSource(address, { connection });
    session.hub.faults.push({ at: "cdn", stallAfter: 100 });
    const reading = source.read(1000, 1000);
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(reading).rejects.toThrow("enough");
  });
});

describe("a server that ignores ranges", () => {
  beforeEach(() => {
    session.hub.faults.push({ at: "cdn", ignoreRange: true, times: 1000 });
  });

  test("is read from the start, onwards with one request, and said so once", async () => {
    const notices: string[] = [];
    const source = await open({ onNotice: (message) => notices.push(message) });
    expect(source.size).toBe(size);
    expect(await source.read(0, 8)).toEqual(bytes.subarray(0, 8));
    expect(await source.read(8, 1000)).toEqual(bytes.subarray(8, 1008));
    expect(await source.read(200_000, 1000)).toEqual(bytes.subarray(200_000, 201_000));
    expect(cdn()).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/ignores range requests, so more than what is needed is fetched$/)]);
    expect(source.fetchedBytes()).toBeGreaterThanOrEqual(201_000);
    expect(source.fetchedBytes()).toBeLessThanOrEqual(size);
    expect(await source.read(100, 50)).toEqual(bytes.subarray(100, 150));
    expect(cdn()).toHaveLength(2);
    source.close();
  });

  test("gives each of several reads at once its own bytes", async () => {
    const source = await open();
    const offsets = [150_000, 100, 250_000, 150_500];
    const parts = await Promise.all(offsets.map((offset) => source.read(offset, 1000)));
    expect(parts).toEqual(offsets.map((offset) => bytes.subarray(offset, offset + 1000)));
    source.close();
  });

  test("is not read for nothing beyond the limit", async () => {
    const source = await open({ maxDiscardedBytes: 100_000 });
    expect(await source.read(90_000, 10)).toEqual(bytes.subarray(90_000, 90_010));
    await expect(source.read(200_000, 10)).rejects.toThrow(
      /ignores range requests: \d+ bytes would be fetched for nothing, above the limit of 100000; download the whole file instead/,
    );
    source.close();
  });

  test("is read again from the start after a cut", async () => {
    const source = await open();
    session.hub.faults.unshift({ at: "cdn", ignoreRange: true, cutAfter: 150_000 });
    source.close();
    expect(Buffer.from(await source.read(100_000, 100_000)).equals(bytes.subarray(100_000, 200_000))).toBe(true);
    source.close();
    expect(cdn()).toHaveLength(3);
  });

  test("must say how long the file is", async () => {
    session.hub.faults.unshift({ at: "cdn", ignoreRange: true, chunked: true });
    await expect(open()).rejects.toThrow(/does not say how long the file is/);
  });
});
