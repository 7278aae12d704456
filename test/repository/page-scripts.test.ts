import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const scripts = readdirSync("src/report", { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith("-script.generated.ts"),
);

test("a page's script draws and nothing else: no reader of models, plans or text is bundled into it", () => {
  expect(scripts.length).toBeGreaterThanOrEqual(5);
  for (const name of scripts) {
    const script = readFileSync(join("src/report", name), "utf8");
    expect([name, /ZodError|safeParse|tokenizer\.json/.exec(script)?.[0]]).toEqual([name, undefined]);
  }
});
