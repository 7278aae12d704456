import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { smallBooks } from "../support/small-books.js";

const examples = [...readFileSync("docs/library.md", "utf8").matchAll(/^## (.*?)\n[\s\S]*?```ts\n([\s\S]*?)```/gm)].map(
  ([, title, code]) => ({ title: title!, code: code!, name: title!.replace(/\W+/g, "-") }),
);

// Inside the clone, for the packages that it depends on.
const folder = mkdtempSync(join("runs-library-page-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Characters of a text: more than the windows that "Analyze in parts" cuts, or a few sentences. */
const textLengths = { "books-fit.txt": 2_500, "books-heldout.txt": 40_000, "speeches.txt": 2_500 };

/** As small as the page lets it: the id of " ship" is 2201, and "Reduce a head" keeps 128 dimensions. */
const [vocabSize, hiddenSize] = [2304, 144];

/** This very package, as those have it who install it, but for its model and texts: cuts of them, which are fast. */
async function install(): Promise<void> {
  const installed = join(folder, "node_modules/unembedding");
  mkdirSync(join(installed, "assets/corpus"), { recursive: true });
  for (const part of ["package.json", "dist", "assets/tiny-books-neox"])
    cpSync(part, join(installed, part), { recursive: true, filter: (path) => !path.endsWith(".wasm") });
  await smallBooks(join(installed, "assets/tiny-books"), vocabSize, hiddenSize);
  for (const [file, length] of Object.entries(textLengths)) {
    const path = join("assets/corpus", file);
    writeFileSync(join(installed, path), readFileSync(path, "utf8").slice(0, length));
  }
  symlinkSync("node_modules/unembedding/assets", join(folder, "assets"));
  // A package of its own, or "unembedding" would be the clone that it lies in.
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
}

let typeErrors: readonly string[];

beforeAll(async () => {
  await install();
  for (const { name, code } of examples) {
    writeFileSync(join(folder, `${name}.ts`), code);
    const { code: plain } = transformSync(code, { loader: "ts", format: "esm", target: "es2022" });
    writeFileSync(join(folder, `${name}.mjs`), plain);
  }
  const compiler = [
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--skipLibCheck",
    "--types",
    "node",
    "--target",
    "es2022",
  ];
  const modules = ["--module", "nodenext", "--moduleResolution", "nodenext", "--pretty", "false"];
  const files = examples.map(({ name }) => join(folder, `${name}.ts`));
  const { stdout } = spawnSync("node_modules/.bin/tsc", [...compiler, ...modules, ...files], { encoding: "utf8" });
  typeErrors = stdout.split("\n").filter((line) => line !== "");
});

test("the types of all examples are right", () => {
  expect(typeErrors).toEqual([]);
});

test.each(examples)("the example under $title runs as it stands", async ({ name }) => {
  expect(await run(`${name}.mjs`)).toEqual({ code: 0, stderr: "" });
});

test("there are examples", () => {
  expect(examples.length).toBe(15);
});

/** A process of its own for each, as a reader would run it: an example that does not close its model would not end. */
function run(file: string) {
  return new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [file], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stderr }));
  });
}
