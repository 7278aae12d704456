import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asidePrefix, clearLeftovers, temporaryName } from "./leftovers.js";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const target = () => at("out");
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-leftovers-"));
});
afterEach(() => rm(folder, { recursive: true }));

const ended = spawnSync(process.execPath, ["-e", ""]).pid;
/** A name as another process of this machine would have given it. */
const nameOf = (pid: number, prefix?: string) => temporaryName(prefix).replace(`-${process.pid}-`, `-${pid}-`);

test("what ended processes were writing is deleted, what others may be writing is not", async () => {
  const dead = nameOf(ended);
  const kept = [
    temporaryName(),
    nameOf(process.ppid),
    nameOf(ended).replace(/-[0-9a-f]{8}-/, "-00000000-"),
    ".unembed-tmp-of-someone",
    "model",
  ].sort();
  for (const name of [dead, ...kept]) await mkdir(at(name));
  await writeFile(at(dead, "model.safetensors"), "half");
  await clearLeftovers(target());
  expect((await readdir(folder)).sort()).toEqual(kept);
});

test("a process of the same number, before this one, has ended", async () => {
  const name = temporaryName();
  await mkdir(at(name));
  await utimes(at(name), 1, 1);
  await clearLeftovers(target());
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that was put aside gets its name back, or goes where its successor has it", async () => {
  const aside = nameOf(ended, asidePrefix);
  await mkdir(at(aside, "out"), { recursive: true });
  await writeFile(at(aside, "out", "config.json"), "old");
  await clearLeftovers(at("another"));
  expect(await readdir(folder)).toEqual([aside]);
  await clearLeftovers(target());
  expect([await readdir(folder), await readdir(target())]).toEqual([["out"], ["config.json"]]);

  await mkdir(at(aside, "out"), { recursive: true });
  await clearLeftovers(target());
  expect([await readdir(folder), await readdir(target())]).toEqual([["out"], ["config.json"]]);
});
