import { relative } from "node:path";
import { expect, test } from "vitest";
import { sourceFiles as files, importsOf } from "../support/source-files.js";

/** Folders of src/ from the top down; a file imports from its own layer and from those below it. */
const layers = [
  ["cli"],
  ["node", "web"],
  ["page"],
  ["explore"],
  ["runs"],
  ["report"],
  ["steering", "reduction", "trimming", "generation", "export"],
  ["encoding", "compare", "dynamics"],
  ["statistics", "measures"],
  ["model", "corpus"],
  ["engine", "hub"],
  ["linalg", "tensor"],
];
const topFiles = new Set(["src/index.ts", "src/library.ts", "src/errors.ts"]);

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
      importsOf(file)
        .filter((target) => files.includes(target) && !topFiles.has(target) && layerOf(target) < layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
  expect(upward).toEqual([]);
});

test("only the Node adapters and the command line import Node modules", () => {
  const isomorphic = files.filter(
    (file) => !topFiles.has(file) && (layerOf(file) > layerOf("src/node/") || file.startsWith("src/web/")),
  );
  const nodeOnly = /^(node:|onnxruntime-node|commander|tinyglobby)/;
  const offenders = isomorphic.flatMap((file) =>
    importsOf(file)
      .filter((name) => nodeOnly.test(name))
      .map((name) => `${file} imports ${name}`),
  );
  expect(isomorphic.length).toBeGreaterThan(10);
  expect(offenders).toEqual([]);
});
