import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubSession, openHubSession } from "../../../test/support/hub-session.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { withTokenizerOf } from "../corpus/tokenizer-folder.js";
import { parseModelReference, resolveModelFolder } from "./model-folder.js";

let session: HubSession;
beforeEach(async () => {
  session = await openHubSession();
});
afterEach(() => session.close());

describe("parseModelReference", () => {
  test("prefers a folder that exists to the hub", async () => {
    expect(await parseModelReference("src/node")).toEqual({ kind: "folder", path: "src/node" });
    expect(await parseModelReference("src")).toEqual({ kind: "folder", path: "src" });
    expect(await parseModelReference(session.folder)).toEqual({ kind: "folder", path: session.folder });
    expect(await parseModelReference("hf://src/node")).toMatchObject({ kind: "hub", reference: { name: "src/node" } });
    expect(await parseModelReference("org/name@v1")).toMatchObject({ kind: "hub", reference: { revision: "v1" } });
    const odd = join(session.folder, "with space@v1");
    await mkdir(odd);
    expect(await parseModelReference(odd)).toEqual({ kind: "folder", path: odd });
  });

  test.each([
    ["./nothing", "./nothing: there is no such folder"],
    ["../nothing", "../nothing: there is no such folder"],
    ["/nothing/here", "/nothing/here: there is no such folder"],
    ["~/no such thing", "~/no such thing: there is no such folder"],
    ["nothing/a/b", "nothing/a/b: there is no such folder"],
    ["nothing/", "nothing/: there is no such folder"],
    ["C:\\models", "C:\\models: there is no such folder"],
    ["package.json", "package.json: is a file where the folder of a model, or a .gguf file, is wanted"],
    [
      "my model",
      /^"my model": there is no such folder, and it "my model" is not the name of a repository: expected org\/name/,
    ],
    ["", '"": is not the name of a model'],
    ["a\0b", '"a\\u0000b": is not the name of a model'],
    ["x".repeat(5000), /is not the name of a repository/],
  ])("refuses %j", async (text, message) => {
    await expect(parseModelReference(text)).rejects.toThrow(message);
  });
});

describe("resolveModelFolder", () => {
  test("what a model's files make long can be ended, with another's tokenizer too", async () => {
    const file = "tiny-gpt2-F16.gguf";
    await session.hub.add("org/files", "main", "test/goldens/gguf");
    const folders = [
      await resolveModelFolder("test/goldens/arch/gpt2"),
      await resolveModelFolder(`test/goldens/gguf/${file}`),
      await resolveModelFolder(`hf://org/files/${file}`, { environment: session.environment, retry: session.retry }),
    ];
    folders.push(withTokenizerOf({ ...folders[0]!, endedAfter: undefined }, folders[1]!));
    for (const { endedAfter } of folders) expect(endedAfter?.(1000, () => 7)).toEqual({ result: 7 });
  });

  test("opens a local folder, and a snapshot whose files are links", async () => {
    const { environment, retry } = session;
    const local = await resolveModelFolder("test/goldens/arch/gpt2");
    expect((await openCheckpointTensors(local)).size).toBe(28);
    const commit = await session.hub.add("org/name", "main", "test/goldens/arch/gpt2");
    const remote = await resolveModelFolder("org/name", { environment, retry });
    expect((await openCheckpointTensors(remote)).size).toBe(28);
    const snapshot = join(environment.cacheFolder, "models--org--name/snapshots", commit);
    const tensors = await openCheckpointTensors(await resolveModelFolder(snapshot));
    expect(tensors.size).toBe(28);
    const { path } = [...tensors.values()][0]!.source as unknown as { path: string };
    expect(path).toMatch(/models--org--name\/blobs\/[0-9a-f]{64}$/);
  });

  test("opens a GGUF file of this machine and of the hub, of which only that file is fetched", async () => {
    const { environment, retry } = session;
    const folder = join(session.folder, "made");
    await mkdir(join(folder, "sub"), { recursive: true });
    const file = "tiny-gpt2-Q4_0.gguf";
    await copyFile(`test/goldens/gguf/${file}`, join(folder, "sub", file));
    await writeFile(join(folder, "other.gguf"), "not asked for");
    await session.hub.add("org/name", "main", folder);
    const local = await resolveModelFolder(join(folder, "sub", file));
    const remote = await resolveModelFolder(`hf://org/name/sub/${file}`, { environment, retry });
    expect(remote.name).toBe(`org/name/sub/${file}`);
    for (const opened of [local, remote]) {
      const tensors = await openCheckpointTensors(opened);
      expect(tensors.get("transformer.h.0.attn.c_attn.weight")?.shape).toEqual([64, 192]);
      expect(await opened.open("config.json")).toBeDefined();
      expect(await opened.open("model.safetensors")).toBeUndefined();
    }
    expect(session.hub.requests.filter(({ path }) => path.includes("other"))).toEqual([]);
  });

  test("says of a folder and a repository of GGUF files that one of them is wanted", async () => {
    const { environment, retry } = session;
    const folder = join(session.folder, "files");
    await mkdir(folder);
    await writeFile(join(folder, "a.gguf"), "");
    await session.hub.add("org/name-GGUF", "main", folder);
    await expect(resolveModelFolder(folder)).rejects.toThrow(`GGUF files: name one of them, as in ${folder}/a.gguf`);
    await expect(resolveModelFolder("org/name-GGUF", { environment, retry })).rejects.toThrow(
      "has no config.json: name one of its GGUF files, hf://org/name-GGUF/FILE.gguf",
    );
  });

  test("says first that there is no such folder, then what the hub says", async () => {
    const { environment, retry } = session;
    for (const offline of [false, true]) {
      const options = { environment: { ...environment, offline }, retry };
      const refused = resolveModelFolder("nope/nope", options);
      await expect(refused).rejects.toThrow(/^nope\/nope: there is no such folder here, and as a repository: \S/);
      const named = resolveModelFolder("hf://nope/nope", options);
      await expect(named).rejects.not.toThrow("folder here");
    }
  });

  test("uses a blob that is itself a link, as in the store that Python shares between repositories", async () => {
    const cache = join(session.environment.cacheFolder, "models--org--name");
    const commit = "1".repeat(40);
    for (const folder of ["../blobs", "blobs", "refs", `snapshots/${commit}`])
      await mkdir(join(cache, folder), { recursive: true });
    await writeFile(join(cache, "../blobs/shared"), "{}");
    await writeFile(join(cache, "refs/main"), commit);
    await symlink("../../blobs/shared", join(cache, "blobs/abc"));
    await symlink("../../blobs/abc", join(cache, `snapshots/${commit}/config.json`));
    const environment = { ...session.environment, offline: true };
    const folder = await resolveModelFolder("org/name", { environment, files: ["config.json"] });
    expect(await folder.open("config.json")).toMatchObject({ size: 2, path: join(cache, "../blobs/shared") });
  });
});
