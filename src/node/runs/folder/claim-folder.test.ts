import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { runRecord } from "../write/run-record.js";
import { type ClaimingRun, inRunFolder } from "./claim-folder.js";
import { runMetadata, unfinishedFile, unfinishedFolder } from "./unfinished-names.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-claim-"));
});
afterAll(() => rm(folder, { recursive: true }));

const asked = { command: "unembed analyze a --corpus b", arguments: { model: "a", corpus: ["b"], seed: 0 } };
const run: ClaimingRun = { kind: "analyze", ...asked };
const others: [string, ClaimingRun][] = [
  ["another kind", { ...run, kind: "dynamics" }],
  ["another text", { ...run, arguments: { ...asked.arguments, corpus: ["c"] } }],
  ["an option more", { ...run, arguments: { ...asked.arguments, tokens: 5 } }],
  ["an option less", { ...run, arguments: { model: "a", corpus: ["b"] } }],
];
const same: [string, ClaimingRun][] = [
  ["the same", run],
  ["the same in another order", { ...run, arguments: { seed: 0, corpus: ["b"], tokens: undefined, model: "a" } }],
  [
    "the same but for what does not matter",
    {
      ...run,
      command: "",
      arguments: { ...asked.arguments, threads: 3, json: true, quiet: true, out: "x", force: true },
    },
  ],
];

let made = 0;
async function withFinished(): Promise<string> {
  const path = join(folder, `finished ${made++}`);
  await mkdir(path);
  const { file } = runRecord("analyze", asked, { results: {} }, {});
  await writeFile(join(path, file[0]), file[1]);
  return path;
}

async function withUnfinished(inFolder: boolean): Promise<string> {
  const path = join(folder, `unfinished ${made++}`);
  const bytes = writeSafetensors([{ name: "t", dtype: "F64", shape: [1], data: new Float64Array(1) }], {
    ...runMetadata("analyze", asked),
  });
  const place = inFolder ? join(path, unfinishedFolder) : path;
  await mkdir(place, { recursive: true });
  await writeFile(join(place, inFolder ? "probe-1.safetensors" : unfinishedFile), bytes);
  return path;
}

const work = async () => "done";
const kinds: [string, () => Promise<string>, RegExp][] = [
  ["a finished run", withFinished, /holds another run: unembed analyze a --corpus b$/],
  ["an unfinished one", () => withUnfinished(false), /holds what was reached of another run: unembed analyze a/],
  ["unfinished checkpoints", () => withUnfinished(true), /holds what was reached of another run: unembed analyze a/],
];

test.each(
  kinds.flatMap(([what, make, message]) => others.map(([name, other]) => [what, name, make, other, message] as const)),
)("%s is kept from %s, which may take its place if it is told to", async (_, __, make, other, message) => {
  const path = await make();
  const before = await readdir(path, { recursive: true });
  const refusal = await inRunFolder(path, other, work).catch((error) => error);
  expect(refusal).toMatchObject({ place: path, problem: expect.stringMatching(message), remedy: "force" });
  expect(await readdir(path, { recursive: true })).toEqual(before);
  expect(await inRunFolder(path, { ...other, force: true }, work)).toBe("done");
  expect((await readdir(path)).filter((name) => name.startsWith("unfinished"))).toEqual([]);
});

test.each(kinds.flatMap(([what, make]) => same.map(([name, again]) => [what, name, make, again] as const)))(
  "%s is there for %s",
  async (_, __, make, again) => {
    const path = await make();
    const before = await readdir(path, { recursive: true });
    expect(await inRunFolder(path, again, () => readdir(path, { recursive: true }))).toEqual(before);
  },
);

test.each([
  ["another program's", '{"schema": "something else"}'],
  ["no JSON at all", "run!"],
  ["null", "null"],
])("a run.json that is %s is kept", async (name, text) => {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, "run.json"), text);
  await expect(inRunFolder(path, run, work)).rejects.toThrow("holds a run.json that no run of unembed wrote");
  expect(await readFile(join(path, "run.json"), "utf8")).toBe(text);
  expect(await inRunFolder(path, { ...run, force: true }, work)).toBe("done");
});

test("two at once: the second fails, and the folder is free again when the first is done, or failed", async () => {
  const path = join(folder, "two");
  await inRunFolder(path, run, async () => {
    await expect(inRunFolder(path, run, work)).rejects.toThrow(/two: process \d+ on .* has been writing there since/);
  });
  await expect(inRunFolder(path, run, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await inRunFolder(path, run, work)).toBe("done");
  expect(await readdir(folder)).not.toContain("two");
});
