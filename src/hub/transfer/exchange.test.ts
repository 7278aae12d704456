import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Connection, exchange } from "./exchange.js";
import { defaultRetryPolicy } from "./retry.js";

/** More than one read brings. */
const size = 70_000;
const server = createServer((_, response) => response.end(Buffer.alloc(size)));
let endpoint: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function connect(signal?: AbortSignal, longestSilence = 60_000): Connection {
  return { endpoint, token: undefined, retry: { ...defaultRetryPolicy, longestSilence }, signal };
}

describe("exchange", () => {
  test("ends with the reason of an abort between two reads, also when the whole body has arrived", async () => {
    const controller = new AbortController();
    const chunks = (await exchange(connect(controller.signal), "x", endpoint)).chunks();
    expect((await chunks.next()).value?.byteLength).toBeLessThan(size);
    // Time for the end of the body to arrive; the outcome is the same when it does not.
    await wait(50);
    controller.abort(new Error("enough"));
    await expect(chunks.next()).rejects.toThrow("enough");
  });

  test("ends when it is closed between two reads", async () => {
    const answer = await exchange(connect(), "x", endpoint);
    const chunks = answer.chunks();
    expect((await chunks.next()).value?.byteLength).toBeLessThan(size);
    await wait(50);
    answer.close();
    await expect(chunks.next()).rejects.toThrow(/^127\.0\.0\.1:\d+ cannot be read/);
  });
});
