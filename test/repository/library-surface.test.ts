import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What the library exports on Node: each name with the file that declares it. */
const exported = ["src/library.ts", "src/index.ts"]
  .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/export (type )?\{([^}]+)\} from "\.\/([^"]+)\.js"/g)])
  .flatMap(([, , names, file]) =>
    names!.split(",").map((name) => ({ name: name.replace(/^\s*type /, "").trim(), file: join("src", `${file}.ts`) })),
  )
  .filter(({ name }) => name !== "");

const page = readFileSync("docs/library.md", "utf8");
const reference = page.slice(page.indexOf("\n## Reference\n"));
/** Names between backquotes in the tables of the reference. */
const listed = [...reference.matchAll(/^\|.*\|$/gm)].flatMap(([row]) =>
  [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
);

const commands = readdirSync("src/cli/commands")
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => name.replace(/\.ts$/, ""));

test("the reference in docs/library.md lists every name that the library exports, once, and none that it does not", () => {
  expect(exported.length).toBeGreaterThan(100);
  expect([...listed].sort()).toEqual(exported.map(({ name }) => name).sort());
});

test("the reference has a row for every command", () => {
  const rows = [...reference.matchAll(/^\| \*\*(\w+)\*\* \|/gm)].map(([, name]) => name!);
  expect(rows).toEqual(expect.arrayContaining(commands));
});

test("every page imports from the library only what there is", () => {
  const names = new Set(exported.map(({ name }) => name));
  const pages = [
    "README.md",
    ...readdirSync("docs")
      .filter((name) => name.endsWith(".md"))
      .map((name) => join("docs", name)),
  ];
  const unknown = pages.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/import (?:type )?\{([^}]+)\} from "unembedding"/g)]
      .flatMap(([, list]) => list!.split(",").map((name) => name.replace(/^\s*type /, "").trim()))
      .filter((name) => name !== "" && !names.has(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test("a run of any kind is summed up, written and drawn by functions of one pattern", () => {
  const names = new Set(exported.map(({ name }) => name));
  const patterns = ["Analysis", "Comparison", "Dynamics", "Reduction", "Steering"].flatMap((kind) => [
    `summarize${kind}`,
    `write${kind}Run`,
    `render${kind}Report`,
  ]);
  expect(patterns.filter((name) => !names.has(name))).toEqual([]);
});

test("every exported function, type and constant has a docstring", () => {
  const declaration = (name: string) =>
    new RegExp(String.raw`^(?:export )?(?:async )?(?:function\*?|interface|type|const|class) ${name}\b`, "m");
  const bare = exported.filter(({ name, file }) => {
    const text = readFileSync(file, "utf8");
    const at = text.search(declaration(name));
    return at < 0 || !text.slice(0, at).trimEnd().endsWith("*/");
  });
  expect(bare.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});
