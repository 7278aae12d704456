import { dirname } from "node:path";
import { expect, test } from "vitest";
import { importsOf, sourceFiles } from "../support/source-files.js";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Groups of nodes that reach one another (Tarjan 1972). */
function circles(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = path.splice(path.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** Who imports whom, with every file counted as the room that `roomOf` names; files without a room are left out. */
function importGraph(roomOf: (file: string) => string | undefined): Graph {
  const graph = new Map<string, Set<string>>();
  for (const file of sourceFiles) {
    const room = roomOf(file);
    if (room === undefined) continue;
    const rooms = graph.get(room) ?? new Set<string>();
    graph.set(room, rooms);
    for (const target of importsOf(file)) {
      const other = sourceFiles.includes(target) ? roomOf(target) : undefined;
      if (other !== undefined && other !== room) rooms.add(other);
    }
  }
  return graph;
}

/** The folder `depth` levels below src/ that holds a file, if it lies as deep as that. */
function folderAt(depth: number): (file: string) => string | undefined {
  return (file) => {
    const folders = dirname(file).split("/");
    return folders.length > depth ? folders.slice(0, depth + 1).join("/") : undefined;
  };
}

test("circles are found", () => {
  const graph: Graph = new Map([
    ["a", new Set(["b", "d"])],
    ["b", new Set(["c"])],
    ["c", new Set(["a", "d"])],
    ["d", new Set(["e"])],
    ["e", new Set(["d"])],
    ["f", new Set(["a"])],
  ]);
  expect(circles(graph)).toEqual([
    ["d", "e"],
    ["a", "b", "c"],
  ]);
});

test("no files of src/ import each other in a circle, for their types either", () => {
  expect(importGraph((file) => file).size).toBeGreaterThan(100);
  expect(circles(importGraph((file) => file))).toEqual([]);
});

// A folder's own files may stand above and below its sub-folders; the sub-folders are the rooms.
test.each([1, 2, 3])("no folders at depth %i of src/ import each other in a circle", (depth) => {
  expect(circles(importGraph(folderAt(depth)))).toEqual([]);
});
