import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

const examples = [...readFileSync("docs/library.md", "utf8").matchAll(/^## (.*?)\n[\s\S]*?```ts\n([\s\S]*?)```/gm)].map(
  ([, title, code]) => ({ title: title!, code: code!, name: title!.replace(/\W+/g, "-") }),
);

// Inside the clone, so that "unembedding" resolves to this very package, as it does for those who install it.
const folder = mkdtempSync(join("runs-library-page-"));
symlinkSync("../assets", join(folder, "assets"));
afterAll(() => rmSync(folder, { recursive: true }));

let typeErrors: readonly string[];

beforeAll(() => {
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
  expect(examples.length).toBe(14);
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
