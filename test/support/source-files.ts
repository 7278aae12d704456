import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The product's source files: src/ without tests and what is generated, by their paths from the root. */
export const sourceFiles: readonly string[] = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts") && !name.endsWith(".generated.ts"))
  .map((name) => join("src", name))
  .sort();

/** What a file imports, types included: modules by name, files of this repository by their paths from the root. */
export function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);
  return names.map((name) => (name.startsWith(".") ? sourceOf(join(dirname(file), name)) : name));
}

/** The source of a module by the name that it is imported under. */
export function sourceOf(path: string): string {
  const component = path.replace(/\.js$/, ".tsx");
  return existsSync(component) ? component : path.replace(/\.js$/, ".ts");
}
