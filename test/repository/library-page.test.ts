import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const examples = [...readFileSync("docs/library.md", "utf8").matchAll(/^## (.*?)\n[\s\S]*?```ts\n([\s\S]*?)```/gm)].map(
  (match) => [match[1]!, match[2]!] as const,
);

// Inside the clone, so that "unembedding" resolves to this very package, as it does for those who install it.
const folder = mkdtempSync(join("runs-library-page-"));
symlinkSync("../assets", join(folder, "assets"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(examples)("the example under %s runs as it stands, and its types are right", (title, code) => {
  const file = join(folder, `${title.replace(/\W+/g, "-")}.ts`);
  writeFileSync(file, code);
  const types = spawnSync(
    "node_modules/.bin/tsc",
    [
      "--noEmit",
      "--ignoreConfig",
      "--strict",
      "--skipLibCheck",
      "--types",
      "node",
      "--target",
      "es2022",
      "--module",
      "nodenext",
      "--moduleResolution",
      "nodenext",
      file,
    ],
    { encoding: "utf8" },
  );
  expect(types.stdout).toBe("");
  const run = spawnSync("../node_modules/.bin/tsx", [`${title.replace(/\W+/g, "-")}.ts`], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
});

test("there are examples", () => {
  expect(examples.length).toBe(10);
});
