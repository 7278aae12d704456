import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { temporaryPrefix } from "./leftovers.js";
import { writeFileAtomic, writeFolderAtomic } from "./write-atomic.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-test-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const at = (...names: string[]) => join(folder, ...names);
const text = (...names: string[]) => readFile(at(...names), "utf8");

/** Chunks that fail after the first, having looked at what is on the disk meanwhile. */
async function* failing(seen: string[]): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
  seen.push(...(await readdir(folder)));
  throw new Error("stopped");
}

describe("writeFileAtomic", () => {
  test("writes text, bytes and chunks", async () => {
    await writeFileAtomic(at("text"), "é");
    await writeFileAtomic(at("bytes"), Uint8Array.of(1, 2));
    await writeFileAtomic(at("chunks"), [Uint8Array.of(3), new Uint8Array(0), Uint8Array.of(4, 5)]);
    expect(await text("text")).toBe("é");
    expect([...(await readFile(at("bytes"))), ...(await readFile(at("chunks")))]).toEqual([1, 2, 3, 4, 5]);
    expect(await readdir(folder)).toEqual(["bytes", "chunks", "text"]);
  });

  test("leaves the old file and nothing else when the contents fail", async () => {
    await writeFile(at("file"), "old");
    const seen: string[] = [];
    await expect(writeFileAtomic(at("file"), failing(seen))).rejects.toThrow("stopped");
    expect(seen.length).toBe(2);
    expect(seen.filter((name) => name.startsWith(temporaryPrefix)).length).toBe(1);
    expect(await readdir(folder)).toEqual(["file"]);
    expect(await text("file")).toBe("old");
  });

  test("replaces what a symlink leads to, and not the symlink", async () => {
    await writeFile(at("real"), "old");
    await symlink("real", at("link"));
    await writeFileAtomic(at("link"), "new");
    expect(await readlink(at("link"))).toBe("real");
    expect(await text("real")).toBe("new");
  });

  test("says in one line why a file cannot be written, and leaves nothing", async () => {
    await mkdir(at("sub"));
    await writeFile(at("file"), "old");
    await expect(writeFileAtomic(at("sub"), "x")).rejects.toThrow(
      new InputError(at("sub"), "is a folder where a file is wanted"),
    );
    await expect(writeFileAtomic(at("missing", "x"), "x")).rejects.toThrow(
      new InputError(at("missing", "x"), "cannot be written: its folder does not exist"),
    );
    await expect(writeFileAtomic(at("file", "x"), "x")).rejects.toThrow(
      new InputError(at("file", "x"), "cannot be written: a part of its path is not a folder"),
    );
    expect(await readdir(folder)).toEqual(["file", "sub"]);
  });
});

describe("writeFolderAtomic", () => {
  test("makes folders inside it, new or in an existing one", async () => {
    for (const content of ["old", "new"]) {
      await writeFolderAtomic(at("run"), [
        ["a/b/x", content],
        ["y", content],
      ]);
      expect([await text("run", "a", "b", "x"), await text("run", "y")]).toEqual([content, content]);
    }
    await writeFile(at("run", "c"), "a file");
    const files: [string, string][] = [
      ["y", "newer"],
      ["c/x", "newer"],
    ];
    await expect(writeFolderAtomic(at("run"), files)).rejects.toThrow("a part of its path is not a folder");
    expect(await text("run", "y")).toBe("new");
    expect(await readdir(at("run"))).toEqual(["a", "c", "y"]);
  });

  test("makes a folder, and its parents, with everything in it", async () => {
    await writeFolderAtomic(at("a", "b", "run"), [
      ["x.json", "{}"],
      ["y.bin", [Uint8Array.of(7)]],
    ]);
    expect(await readdir(at("a", "b"))).toEqual(["run"]);
    expect(await readdir(at("a", "b", "run"))).toEqual(["x.json", "y.bin"]);
    expect(await text("a", "b", "run", "x.json")).toBe("{}");
  });

  test("replaces files in a folder that is there, and keeps the others", async () => {
    await mkdir(at("run"));
    await writeFile(at("run", "x"), "old");
    await writeFile(at("run", "other"), "kept");
    await writeFolderAtomic(at("run"), new Map([["x", "new"]]));
    expect(await readdir(at("run"))).toEqual(["other", "x"]);
    expect([await text("run", "x"), await text("run", "other")]).toEqual(["new", "kept"]);
    expect(await readdir(folder)).toEqual(["run"]);
  });

  test("leaves everything as it was when one file fails", async () => {
    await mkdir(at("run"));
    await writeFile(at("run", "x"), "old");
    await expect(
      writeFolderAtomic(at("run"), [
        ["x", "new"],
        ["y", failing([])],
      ]),
    ).rejects.toThrow("stopped");
    await expect(writeFolderAtomic(at("p", "q", "new"), [["y", failing([])]])).rejects.toThrow("stopped");
    expect(await readdir(folder)).toEqual(["run"]);
    expect(await readdir(at("run"))).toEqual(["x"]);
    expect(await text("run", "x")).toBe("old");
  });

  test("says in one line why a folder cannot be written", async () => {
    await writeFile(at("file"), "old");
    await mkdir(at("run", "x"), { recursive: true });
    await expect(writeFolderAtomic(at("file"), [])).rejects.toThrow(
      new InputError(at("file"), "is a file where a folder is wanted"),
    );
    await expect(writeFolderAtomic(at("file", "run"), [])).rejects.toThrow(
      new InputError(at("file", "run"), "cannot be written: a part of its path is not a folder"),
    );
    await expect(writeFolderAtomic(at("file", "deep", "run"), [])).rejects.toThrow(
      new InputError(at("file", "deep", "run"), "cannot be written: a part of its path is not a folder"),
    );
    await expect(
      writeFolderAtomic(at("run"), [
        ["a", "new"],
        ["x", "new"],
      ]),
    ).rejects.toThrow(new InputError(at("run", "x"), "is a folder where a file is wanted"));
    for (const name of ["../x", "", "..", "a//b", "a/../b", "/x", "nul\0"]) {
      await expect(writeFolderAtomic(at("new"), [[name, "x"]])).rejects.toThrow("is not a file name");
    }
    expect(await readdir(folder)).toEqual(["file", "run"]);
    expect(await readdir(at("run"))).toEqual(["x"]);
  });
});
