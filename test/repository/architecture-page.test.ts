import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const page = readFileSync("docs/architecture.md", "utf8");
const code = [...page.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);

/** Folders that hold files of their own. */
function foldersWithFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const inside = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => foldersWithFiles(join(folder, name)));
  return entries.some((entry) => entry.isFile()) ? [folder, ...inside] : inside;
}

test("every folder of src/ is on the page, itself or by those inside it", () => {
  const named = code.filter((name) => name.startsWith("src/"));
  const missing = foldersWithFiles("src")
    .filter((folder) => folder !== "src")
    .filter((folder) => !named.some((name) => name === folder || name.startsWith(`${folder}/`)));
  expect(missing).toEqual([]);
});

test("every file and folder on the page is there", () => {
  const places = code.filter((name) => /^(src|test|docs|scripts)\//.test(name) && !/[A-Z]{4}/.test(name));
  expect(places.length).toBeGreaterThan(60);
  expect(places.filter((name) => !existsSync(name))).toEqual([]);
  const files = code.filter((name) => /^[\w-]+\.ts$/.test(name));
  const all = readdirSync("src", { recursive: true, encoding: "utf8" }).map((name) => name.split("/").at(-1));
  expect(files.filter((name) => !all.includes(name))).toEqual([]);
});

test("the picture has every layer, from the top down", () => {
  const picture = page.slice(page.indexOf("```text"), page.indexOf("## The way of the data"));
  const layers = [...picture.matchAll(/^ {3}(\w+) /gm)].map((match) => match[1]!);
  const folders = readdirSync("src").filter((name) => statSync(join("src", name)).isDirectory());
  expect([...layers].sort()).toEqual(folders.sort());
});

test("names of types and fields in its tables are in the code", () => {
  const all = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".generated.ts"))
    .map((name) => readFileSync(join("src", name), "utf8"))
    .join("\n");
  const names = code.filter((name) => /^[A-Za-z]\w{2,}(\.\w+)?$/.test(name)).flatMap((name) => name.split("."));
  expect(names.length).toBeGreaterThan(30);
  expect([...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).toEqual([]);
});
