import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { sourceFiles, sourceOf } from "../support/source-files.js";

/** Everything that may import from src/. */
const files = ["src", "bin", "scripts", "test", "bench"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[jt]sx?$/.test(name) && !name.endsWith(".generated.ts"))
    .map((name) => join(folder, name)),
);

/** Names that each file of src/ is asked for by others, from `import { a, b as c }`, `export { a }` and `import("...")`. */
function importedNames(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    for (const [, braces, fixed, dynamic] of text.matchAll(
      /(?:\{([^{}]*)\}\s*(?:from|=\s*await\s+import\()\s*"(\.[^"]+)")|import\("(\.[^"]+)"\)/g,
    )) {
      const path = (fixed ?? dynamic)!;
      const target = sourceOf(join(dirname(file), path).replace(/^dist\//, "src/"));
      const names = found.get(target) ?? new Set<string>();
      found.set(target, names);
      for (const part of (braces ?? "").split(",")) {
        const name = part
          .trim()
          .replace(/^type /, "")
          .split(/ as |:/)[0]!
          .trim();
        if (name !== "") names.add(name);
      }
    }
  }
  return found;
}

test("every function and constant that a file of src/ exports is imported by another file", () => {
  const imported = importedNames();
  const exported = sourceFiles.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm)].map(
      ([, name]) => ({ file, name: name! }),
    ),
  );
  expect(exported.length).toBeGreaterThan(400);
  const unused = exported.filter(({ file, name }) => !imported.get(file)?.has(name));
  expect(unused.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
});

test("no two files of src/ export types of one name", () => {
  const places = new Map<string, string[]>();
  for (const file of sourceFiles) {
    for (const [, name] of readFileSync(file, "utf8").matchAll(/^export (?:interface|type|class) (\w+)/gm)) {
      places.set(name!, [...(places.get(name!) ?? []), file]);
    }
  }
  expect([...places].filter(([, where]) => where.length > 1)).toEqual([]);
});
