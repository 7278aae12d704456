import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/** Folders of src/ from the top down; a file imports from its own layer and from those below it. */
const layers = [
  ["cli"],
  ["node"],
  ["runs"],
  ["report"],
  ["steering", "reduction", "generation", "export"],
  ["encoding", "compare", "dynamics"],
  ["statistics", "measures"],
  ["model", "corpus"],
  ["engine"],
  ["linalg", "tensor"],
];
const topFiles = new Set(["src/index.ts", "src/errors.ts"]);

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith(".generated.ts"))
  .map((name) => join("src", name));

function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import)\s+"([^"]+)"/g)].map((match) => match[1]!);
}

function layerOf(file: string): number {
  const folder = relative("src", file).split("/")[0]!;
  return layers.findIndex((names) => names.includes(folder));
}

test("every folder of src/ has its layer", () => {
  expect(files.filter((file) => !topFiles.has(file) && layerOf(file) < 0)).toEqual([]);
});

test("imports point down only", () => {
  const upward = files
    .filter((file) => !topFiles.has(file))
    .flatMap((file) =>
      imports(file)
        .filter((name) => name.startsWith("."))
        .map((name) => join(dirname(file), name).replace(/\.js$/, ".ts"))
        .filter((target) => target !== "src/errors.ts" && layerOf(target) < layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
  expect(upward).toEqual([]);
});

test("only the Node adapters and the command line import Node modules", () => {
  const isomorphic = files.filter(
    (file) => !topFiles.has(file) && layerOf(file) > layers.findIndex(([name]) => name === "node"),
  );
  const nodeOnly = /^(node:|onnxruntime-node|commander|tinyglobby)/;
  const offenders = isomorphic.flatMap((file) =>
    imports(file)
      .filter((name) => nodeOnly.test(name))
      .map((name) => `${file} imports ${name}`),
  );
  expect(isomorphic.length).toBeGreaterThan(10);
  expect(offenders).toEqual([]);
});
