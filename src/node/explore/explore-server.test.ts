import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Action } from "../../explore/actions.js";
import type { Explorer } from "../../explore/explorer.js";
import { initialState } from "../../explore/initial-state.js";
import type { Message } from "../../explore/protocol.js";
import { type ServedExplorer, serveExplorer } from "./explore-server.js";

const offered = { models: [], texts: [], runs: [], series: [], hub: false, writesTo: null };
const sent: Action[] = [];
let tell: (message: Message) => void = () => {};
/** What it is asked is kept; what it tells is up to the test. */
const explorer: Explorer = {
  state: initialState(offered),
  send: (action) => sent.push(action),
  subscribe(listener) {
    tell = listener;
    listener({ type: "state", patch: { room: "open" } });
    return () => {};
  },
  settled: async () => {},
  close: async () => {},
};
let served: ServedExplorer;
let token: string;

beforeEach(async () => {
  sent.length = 0;
  served = await serveExplorer(explorer);
  token = /name="unembed-token" content="([\w-]{32})"/.exec(await (await fetch(served.url)).text())![1]!;
});
afterEach(() => served.close());

const go = JSON.stringify({ type: "go", room: "read" });
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${served.url}actions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-unembed-token": token, ...headers },
    body,
  });

/** fetch does not let anyone say another Host. */
function statusFor(headers: Record<string, string>, path = "/"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(new URL(path, served.url), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

test("takes an action from its own page, and from nobody else", async () => {
  expect((await post(go)).status).toBe(204);
  expect(sent).toEqual([{ type: "go", room: "read" }]);
  const own = new URL(served.url).origin;
  expect((await post(go, { origin: own })).status).toBe(204);
  for (const headers of [
    { "x-unembed-token": "" },
    { "x-unembed-token": `${token.slice(0, -1)}!` },
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: own.replace("http", "https") },
    { "content-type": "text/plain" },
  ]) {
    expect((await post(go, headers)).status, JSON.stringify(headers)).toBeGreaterThanOrEqual(400);
  }
  expect(sent).toHaveLength(2);
});

test("answers to its own names only, and serves nothing but its own files", async () => {
  const { port } = new URL(served.url);
  expect(await statusFor({ host: `localhost:${port}` })).toBe(200);
  expect(await statusFor({ host: `evil.example:${port}` })).toBe(421);
  expect(await statusFor({ host: "127.0.0.1" })).toBe(421);
  expect(await statusFor({ host: `127.0.0.1:${port}`, "sec-fetch-site": "cross-site" })).toBe(403);
  for (const path of [
    "/package.json",
    "/../package.json",
    "/%2e%2e/index.js",
    "/page-html.js",
    "/files/x",
    "/events",
  ]) {
    expect([403, 404]).toContain(await statusFor({ host: `127.0.0.1:${port}` }, path));
  }
  expect(await statusFor({ host: `127.0.0.1:${port}` }, `/files/x?token=${token}`)).toBe(404);
});

test("says what is wrong with an action that makes no sense", async () => {
  for (const [body, message] of [
    ["{", /no JSON/],
    ['{"type":"go","room":"attic"}', /field room/],
    ['{"type":"take-home","what":"/etc/passwd"}', /field what/],
    ['{"type":"slide","edit":0,"position":1e9,"sequence":1}', /position/],
  ] as const) {
    const answer = await post(body);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(message)]);
  }
  expect(sent).toEqual([]);
});

test("tells the page what changes, and gives a file once to who knows where it lies", async () => {
  const events = await fetch(`${served.url}events?token=${token}`);
  const reader = events.body!.getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  expect(await read()).toBe('data: {"type":"state","patch":{"room":"open"}}\n\n');
  const parts = [Uint8Array.of(104, 105)];
  tell({ type: "file", file: { name: "a b.csv", mediaType: "text/csv", parts } });
  const [, data] = /^event: file\ndata: (.*)\n\n$/.exec(await read())!;
  const { id } = JSON.parse(data!) as { id: string };
  const file = await fetch(`${served.url}files/${id}?token=${token}`);
  expect([await file.text(), file.headers.get("content-disposition")]).toEqual([
    "hi",
    'attachment; filename="a-b.csv"',
  ]);
  expect((await fetch(`${served.url}files/${id}`)).status).toBe(403);
  await reader.cancel();
});

test("others can reach it only by an address with the token in it", async () => {
  const other = await serveExplorer(explorer, { host: "127.0.0.2" });
  const bare = other.url.replace(/\?.*/, "");
  expect(other.url).toMatch(/^http:\/\/127\.0\.0\.2:\d+\/\?token=[\w-]{32}$/);
  expect((await fetch(bare)).status).toBe(403);
  expect((await fetch(other.url)).status).toBe(200);
  await other.close();
  await expect(serveExplorer(explorer, { port: Number(new URL(served.url).port) })).rejects.toThrow(
    /port \d+ is taken/,
  );
});
