import { lstat, mkdir, readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, noise, openHubSession } from "../../../test/support/hub-session.js";
import type { DownloadProgress } from "../../hub/download-progress.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { type HubFolderOptions, listHubFiles, openHubFolder } from "./hub-folder.js";

const goldens = "test/goldens/arch";
let session: HubSession;
beforeEach(async () => {
  session = await openHubSession();
});
afterEach(() => session.close());

function open(reference: string, options: HubFolderOptions = {}) {
  const { environment, retry } = session;
  return openHubFolder(reference, { environment, retry, ...options });
}

const paths = () => session.hub.requests.map(({ at, path }) => `${at} ${path.replace(/\?.*/, "")}`);
const cached = (...parts: string[]) => join(session.environment.cacheFolder, ...parts);
const withToken = (token: string) => ({ environment: { ...session.environment, token } });
const offline = () => ({ environment: { ...session.environment, offline: true } });

/** Every file of the cache that is not whole yet. */
async function incomplete(): Promise<string[]> {
  const names = await readdir(session.folder, { recursive: true });
  return names.filter((name) => /incomplete|tmp/.test(name));
}

describe("openHubFolder", () => {
  test("brings a sharded model into the cache, in Python's layout", async () => {
    const commit = await session.hub.add("org/llama", "main", `${goldens}/llama_sharded_bf16`);
    const folder = await open("org/llama");
    expect(folder.name).toBe("org/llama");
    const tensors = await openCheckpointTensors(folder);
    expect([...tensors.values()].reduce((size, { byteLength }) => size + byteLength, 0)).toBe(63808);
    const repository = "models--org--llama";
    expect(await readFile(cached(repository, "refs/main"), "utf8")).toBe(commit);
    const files = await readdir(cached(repository, "snapshots", commit));
    expect(files.sort()).toEqual([
      "config.json",
      "generation_config.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
    ]);
    // The hashes are those of sha256sum and of git hash-object.
    expect(await readlink(cached(repository, "snapshots", commit, "model-00001-of-00002.safetensors"))).toBe(
      "../../blobs/3b7e6606ca0e96d268a1bba7072b0622eca0d79b68689a2250da41de12a2b067",
    );
    expect(await readlink(cached(repository, "snapshots", commit, "config.json"))).toBe(
      "../../blobs/a35b09d9d5e1812669b51368b7ab30e736990e5e",
    );
    expect((await readdir(cached(repository, ".no_exist", commit))).includes("tokenizer.json")).toBe(true);
    const source = await folder.open("model-00001-of-00002.safetensors");
    expect(source).toMatchObject({
      name: "org/llama/model-00001-of-00002.safetensors",
      path: cached(repository, "blobs/3b7e6606ca0e96d268a1bba7072b0622eca0d79b68689a2250da41de12a2b067"),
    });
    expect(await incomplete()).toEqual([]);
  });

  test("fetches nothing that is not needed, and what is asked for later only then", async () => {
    await session.hub.add("org/name", "main", {
      "config.json": "{}",
      "model.safetensors": "weights",
      "pytorch_model.bin": "the same again",
      "README.md": "text",
      "flax_model.msgpack": "the same again",
      "tokenizer.json": "{}",
      "onnx/model.onnx": "the same again",
    });
    const folder = await open("org/name");
    const resolved = () =>
      paths()
        .filter((path) => path.includes("/resolve/"))
        .map((path) => path.split("/").at(-1));
    expect(resolved().sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(await folder.open("vocab.json")).toBeUndefined();
    expect(await folder.open("no/such/file")).toBeUndefined();
    expect(await (await folder.open("onnx/model.onnx"))?.read(0, 8)).toEqual(new TextEncoder().encode("the same"));
    expect(resolved()).toHaveLength(4);
    await expect(folder.open("../x")).rejects.toThrow('org/name: "../x" is not a file name');
  });

  test("takes pickled weights only where there are no others", async () => {
    await session.hub.add("org/old", "main", { "config.json": "{}", "pytorch_model.bin": "pickled" });
    const folder = await open("org/old");
    expect((await folder.open("pytorch_model.bin"))?.size).toBe(7);
  });

  test("asks for the commit alone when everything is there, and for nothing when the commit is given", async () => {
    const commit = await session.hub.add("org/name", "main", `${goldens}/gpt2`);
    await open("org/name");
    session.hub.requests.length = 0;
    await open("org/name");
    expect(paths()).toEqual(["hub /api/models/org/name/revision/main"]);
    await open(`org/name@${commit}`);
    expect(paths()).toHaveLength(1);
  });

  test("follows a branch that has moved, and keeps both commits", async () => {
    const first = await session.hub.add("org/name", "main", { "config.json": "1", "model.safetensors": "same" });
    await open("org/name");
    const second = await session.hub.add("org/name", "main", { "config.json": "2", "model.safetensors": "same" });
    const folder = await open("org/name");
    expect(await (await folder.open("config.json"))?.read(0, 1)).toEqual(new TextEncoder().encode("2"));
    expect((await readdir(cached("models--org--name/snapshots"))).sort()).toEqual([first, second].sort());
    expect(await readdir(cached("models--org--name/blobs"))).toHaveLength(3);
    expect(session.hub.requests.filter(({ at }) => at === "cdn")).toHaveLength(1);
  });

  test("reads tags, pull requests, folders of a repository, old names and data sets", async () => {
    await session.hub.add("org/name", "step1000", { "config.json": "{}", "model.safetensors": "tagged" });
    await session.hub.add("org/name", "refs/pr/7", { "config.json": "{}", "model.safetensors": "proposed" });
    await session.hub.add("org/runs", "main", { "last/config.json": "{}", "last/model.safetensors": "nested" });
    await session.hub.add(
      "org/gpt2",
      "main",
      { "config.json": "{}", "model.safetensors": "moved" },
      { formerName: "gpt2" },
    );
    await session.hub.add("org/books", "main", { "data/a.txt": "text", "b.txt": "more" }, { type: "dataset" });
    const size = async (reference: string) => (await (await open(reference)).open("model.safetensors"))?.size;
    expect(await size("org/name@step1000")).toBe(6);
    expect(await size("org/name@refs/pr/7")).toBe(8);
    expect(await stat(cached("models--org--name/refs/refs/pr/7"))).toBeDefined();
    expect(await size("hf://org/runs/last")).toBe(6);
    expect(await size("gpt2")).toBe(5);
    expect(await readdir(cached("models--gpt2"))).toContain("snapshots");
    const books = await open("hf://datasets/org/books", { files: ["data/a.txt"] });
    expect((await books.open("data/a.txt"))?.size).toBe(4);
    expect(await readdir(cached("datasets--org--books/blobs"))).toHaveLength(1);
    const { environment, retry } = session;
    expect(await listHubFiles("hf://datasets/org/books", { environment, retry })).toEqual([
      { path: "b.txt", size: 4 },
      { path: "data/a.txt", size: 4 },
    ]);
    expect(await listHubFiles("hf://datasets/org/books/data", { environment, retry })).toEqual([
      { path: "a.txt", size: 4 },
    ]);
  });

  test("reports progress over all files, up to the end", async () => {
    await session.hub.add("org/name", "main", `${goldens}/llama_sharded_bf16`);
    const seen: DownloadProgress[] = [];
    await open("org/name", { onProgress: (progress) => seen.push(progress) });
    const { received, total } = seen.at(-1)!;
    expect(received).toBe(total);
    expect(total).toBe(session.hub.bytesSent(/resolve.*json$|signature/));
    for (let i = 1; i < seen.length; i++) expect(seen[i]!.received).toBeGreaterThanOrEqual(seen[i - 1]!.received);
    expect(new Set(seen.map(({ file }) => file)).size).toBe(5);
  });

  test("sends the token to the hub and nowhere else", async () => {
    await session.hub.add(
      "org/secret",
      "main",
      { "config.json": "{}", "model.safetensors": "w" },
      { private: "hf_mine" },
    );
    await open("org/secret", withToken("hf_mine"));
    const sent = (at: string) => new Set(session.hub.requests.filter((r) => r.at === at).map((r) => r.authorization));
    expect(sent("hub")).toEqual(new Set(["Bearer hf_mine"]));
    expect(sent("cdn")).toEqual(new Set([undefined]));
  });
});

describe("explains", () => {
  const refusals: [what: string, reference: string, token: string | undefined, problem: RegExp][] = [
    [
      "a missing repository",
      "org/none",
      undefined,
      /^org\/none: there is no such model at http.*, or it is private: .* set HF_TOKEN$/,
    ],
    [
      "one that the token cannot read",
      "org/private",
      "hf_x",
      /^org\/private: there is no such model .* use an access token that can read it$/,
    ],
    [
      "a missing revision",
      "org/name@step7",
      undefined,
      /^org\/name@step7: the model org\/name has no branch, tag or commit step7; see /,
    ],
    [
      "terms to accept",
      "org/gated",
      undefined,
      /^org\/gated: is gated: accept its terms at http.*\/org\/gated and set HF_TOKEN /,
    ],
    [
      "terms not accepted by the token's owner",
      "org/gated",
      "hf_x",
      /^org\/gated: is gated, and the account of the access token has no access/,
    ],
    [
      "a wrong token",
      "org/name",
      "invalid",
      /^org\/name: the access token is not valid: set HF_TOKEN to a current one, or unset it$/,
    ],
    ["a data set asked for as a model", "org/books", undefined, /^org\/books: there is no such model/],
  ];
  test.each(refusals)("%s", async (_, reference, token, problem) => {
    const files = { "config.json": "{}", "model.safetensors": "w" };
    await session.hub.add("org/name", "main", files);
    await session.hub.add("org/private", "main", files, { private: "hf_owner" });
    await session.hub.add("org/gated", "main", files, { gated: "hf_member" });
    await session.hub.add("org/books", "main", files, { type: "dataset" });
    await expect(open(reference, token === undefined ? {} : withToken(token))).rejects.toThrow(problem);
    expect(session.waits).toEqual([]);
  });

  test("a missing file that was asked for by name", async () => {
    await session.hub.add("org/name", "main", { "config.json": "{}" });
    await expect(open("org/name", { files: ["config.json", "x.npy"] })).rejects.toThrow(
      /^org\/name: has no file x.npy$/,
    );
  });

  test("an answer that is not the hub's", async () => {
    await session.hub.add("org/name", "main", { "config.json": "{}" });
    const refusal =
      /^org\/name: http.* does not answer as the Hugging Face hub does: check HF_ENDPOINT and the network$/;
    for (const body of ["<html>Welcome to the hotel</html>", "{}", '{"sha": "../../x"}', "null", '{"sha"']) {
      session.hub.faults.push({ path: /revision/, status: 200, body });
      await expect(open("org/name")).rejects.toThrow(refusal);
    }
    const entry = { type: "file", path: "config.json", size: 2, oid: "0".repeat(40) };
    for (const body of [
      "{}",
      "[1]",
      JSON.stringify([{ ...entry, size: -1 }]),
      JSON.stringify([{ ...entry, oid: "../x" }]),
    ]) {
      session.hub.faults.push({ path: /tree/, status: 200, body });
      await expect(open("org/name")).rejects.toThrow(refusal);
    }
    expect(await readdir(session.folder)).toEqual([]);
  });

  test("a listing without end", async () => {
    await session.hub.add("org/name", "main", { "config.json": "{}" });
    const next = { link: `<${session.hub.endpoint}/api/models/org/name/tree/x>; rel="next"` };
    session.hub.faults.push({ path: /tree/, status: 200, body: "[]", headers: next, times: 10_000 });
    await expect(open("org/name")).rejects.toThrow(/lists over 1000 pages of files/);
  });

  test("an index that leads out of its folder", async () => {
    const index = JSON.stringify({ weight_map: { a: "../../../escaped.safetensors" } });
    await session.hub.add("org/name", "main", { "config.json": "{}", "model.safetensors.index.json": index });
    await expect(open("org/name")).rejects.toThrow(
      'org/name/model.safetensors.index.json: field weight_map: "a" is in "../../../escaped.safetensors", which is not a file of the same folder',
    );
  });
});

describe("without a network", () => {
  test("HF_HUB_OFFLINE uses the cache and asks for nothing", async () => {
    await session.hub.add("org/name", "main", `${goldens}/llama_sharded_bf16`);
    await open("org/name");
    session.hub.requests.length = 0;
    const folder = await open("org/name", offline());
    expect((await openCheckpointTensors(folder)).size).toBe(21);
    expect(await folder.open("README.md")).toBeUndefined();
    expect(session.hub.requests).toEqual([]);
  });

  test("HF_HUB_OFFLINE names what is missing", async () => {
    const commit = await session.hub.add("org/name", "main", `${goldens}/llama_sharded_bf16`);
    await expect(open("org/name", offline())).rejects.toThrow(
      `org/name: is not in ${cached("models--org--name")}, and HF_HUB_OFFLINE is set: unset it to download`,
    );
    await open("org/name", { files: ["config.json"] });
    const snapshot = cached("models--org--name/snapshots", commit);
    await expect(open("org/name", offline())).rejects.toThrow(
      `org/name: model.safetensors is not in ${snapshot}, and HF_HUB`,
    );
    await open("org/name");
    await rm(join(snapshot, "model-00002-of-00002.safetensors"));
    await expect(open("org/name", offline())).rejects.toThrow(
      `org/name: model-00002-of-00002.safetensors is not in ${snapshot}`,
    );
    await expect(open("org/name", { ...offline(), files: ["x"] })).rejects.toThrow(`org/name: x is not in ${snapshot}`);
    expect(session.hub.requests.some(({ path }) => path.includes("00002-of"))).toBe(true);
  });

  test("a hub that is away is done without, and said so", async () => {
    await session.hub.add("org/name", "main", `${goldens}/gpt2`);
    await open("org/name");
    session.hub.faults.push({ status: 503, times: 100 });
    const notices: string[] = [];
    const folder = await open("org/name", { onNotice: (message) => notices.push(message) });
    expect((await openCheckpointTensors(folder)).size).toBe(28);
    expect(notices).toEqual([
      expect.stringMatching(/answers with status 503 \(tried 2 times\).*using the cached commit/),
    ]);
    await expect(open("org/other")).rejects.toThrow(
      /^org\/other: 127.0.0.1:\d+ answers with status 503 \(tried 6 times\)/,
    );
  });

  test("a host that nothing listens at is an error in one line", async () => {
    const { endpoint } = session.environment;
    await session.hub.close();
    await expect(open("org/name")).rejects.toThrow(
      `org/name: ${new URL(endpoint).host} refuses the connection (tried 6 times): try again later`,
    );
    expect(session.waits).toHaveLength(5);
  });
});

describe("repairs", () => {
  const files = { "config.json": "{}", "model.safetensors": noise(20_000), "tokenizer.json": "{}" };

  test("a blob that something cut short", async () => {
    const commit = await session.hub.add("org/name", "main", files);
    await open("org/name");
    const snapshot = cached("models--org--name/snapshots", commit);
    await truncate(join(snapshot, "model.safetensors"), 100);
    await rm(join(snapshot, "tokenizer.json"));
    const folder = await open("org/name");
    expect(await (await folder.open("model.safetensors"))?.read(0, 20_000)).toEqual(files["model.safetensors"]);
  });

  test("links that lead nowhere, and files in place of links", async () => {
    const commit = await session.hub.add("org/name", "main", files);
    await open("org/name");
    const path = cached("models--org--name/snapshots", commit, "model.safetensors");
    await rm(cached("models--org--name/blobs"), { recursive: true });
    await open("org/name");
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    await rm(path);
    await writeFile(path, files["model.safetensors"]);
    const folder = await open("org/name");
    expect(await folder.open("model.safetensors")).toMatchObject({ path });
  });

  test("nothing of a cache that cannot be written, but says how to go on", async () => {
    await session.hub.add("org/name", "main", files);
    await mkdir(cached());
    await writeFile(cached("models--org--name"), "a file in the way");
    await expect(open("org/name")).rejects.toThrow(/cannot be written: a part of its path is not a folder/);
  });
});
