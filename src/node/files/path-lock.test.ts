import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockPath } from "./path-lock.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

const lockOf = (name: string) => join(folder, `.unembed-lock-${name}`);
const holder = (fields: object) =>
  JSON.stringify({ pid: process.pid, host: hostname(), began: 0, since: "2020-01-01T00:00:00Z", ...fields });

test("one at a time, and nothing is left of it, nor of the folders that were made for it", async () => {
  const path = join(folder, "deep", "er", "run");
  const lock = await lockPath(path);
  await expect(lockPath(path)).rejects.toThrow(new RegExp(`run: process ${process.pid} on .* has been writing there`));
  const other = await lockPath(join(folder, "deep", "other"));
  await lock.release();
  expect(await readdir(join(folder, "deep"))).toEqual([".unembed-lock-other"]);
  await other.release();
  expect(await readdir(folder)).toEqual(["deep"]);
  await (await lockPath(path)).release();
});

test("the same place by another name is the same place", async () => {
  await mkdir(join(folder, "real"));
  const lock = await lockPath(join(folder, "real"));
  await expect(lockPath(`${folder}/deep/../real/`)).rejects.toThrow("has been writing there");
  await lock.release();
});

test.each([
  ["a process that is dead", holder({ pid: 2 ** 22 + 1 })],
  ["an earlier process of this number", holder({ began: 1 })],
])("what %s left is taken over", async (name, contents) => {
  await writeFile(lockOf(name), contents);
  const lock = await lockPath(join(folder, name));
  expect(JSON.parse(await readFile(lockOf(name), "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
  await lock.release();
  expect(await readdir(folder)).not.toContain(`.unembed-lock-${name}`);
});

test.each<[string, string, RegExp]>([
  [
    "a process of another machine",
    holder({ host: "elsewhere" }),
    /elsewhere .*; if it does not run any more, delete \S+/,
  ],
  ["a process that runs", holder({ pid: process.ppid }), /process \d+ on/],
  ["a process that is just writing it", "", /another process has just begun/],
])("what %s holds is not", async (name, contents, message) => {
  await writeFile(lockOf(name), contents);
  await expect(lockPath(join(folder, name))).rejects.toThrow(message);
  expect(await readFile(lockOf(name), "utf8")).toBe(contents);
});

test("what a process did not come to write is taken over after a while", async () => {
  await writeFile(lockOf("cut"), "");
  await utimes(lockOf("cut"), new Date(), new Date(Date.now() - 60_000));
  await (await lockPath(join(folder, "cut"))).release();
});

test("whoever writes beside it clears away what dead processes left, and nothing else", async () => {
  const beside = await mkdtemp(join(folder, "beside-"));
  const lock = (name: string) => join(beside, `.unembed-lock-${name}`);
  await writeFile(lock("dead"), holder({ pid: 2 ** 22 + 1 }));
  await writeFile(lock("alive"), holder({ pid: process.ppid }));
  await writeFile(lock("elsewhere"), holder({ host: "elsewhere", pid: 2 ** 22 + 1 }));
  await writeFile(lock("begun"), "");
  await (await lockPath(join(beside, "another"))).release();
  expect((await readdir(beside)).sort()).toEqual([
    ".unembed-lock-alive",
    ".unembed-lock-begun",
    ".unembed-lock-elsewhere",
  ]);
});

test("of many that find what a dead process left, one gets it", async () => {
  await writeFile(lockOf("many"), holder({ pid: 2 ** 22 + 1 }));
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockPath(join(folder, "many"))));
  const got = tries.filter((one) => one.status === "fulfilled");
  expect(got).toHaveLength(1);
  await got[0]!.value.release();
});
