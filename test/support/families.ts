import { readdirSync, readFileSync } from "node:fs";

const goldens = "test/goldens/arch";

/** A golden of each `model_type`, for what depends on a family's head and the names of its tensors and not on its flags. */
export function onePerFamily(): string[] {
  const first = new Map<string, string>();
  for (const name of readdirSync(goldens)) {
    const { model_type: type }: { model_type: string } = JSON.parse(
      readFileSync(`${goldens}/${name}/config.json`, "utf8"),
    );
    if (!first.has(type)) first.set(type, name);
  }
  return [...first.values()];
}
