import { expect, test } from "vitest";
import { parse } from "yaml";
import { code, modelCard } from "./model-card.js";

const head = { done: "Two rows were rewritten.", version: "9.9.9" };

function cardOf(original: string | undefined, name = "org/name") {
  const card = modelCard({ name, card: original }, head);
  const [, metadata, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(card)!;
  return { metadata: parse(metadata!) as Record<string, unknown>, body: body! };
}

test("a model without a card gets one that says what it was made of and how", () => {
  const { metadata, body } = cardOf(undefined);
  expect(metadata).toEqual({ base_model: "org/name", base_model_relation: "finetune", tags: ["unembed"] });
  expect(body).toContain("# org/name, changed with unembed");
  expect(body).toContain("Two rows were rewritten.");
  expect(body).toContain("unembed 9.9.9");
  expect(body).not.toContain("original model");
});

test("of the original's metadata its license, languages and tags stay; its origin and its results do not", () => {
  const original = [
    "---",
    "license: apache-2.0 # as published",
    "language: [en, de]",
    "tags: [text-generation, unembed]",
    "base_model: other/ancestor",
    "base_model_relation: quantized",
    "model-index:",
    "  - name: best",
    "---",
    "# The original",
    "",
    "It is good.",
  ].join("\r\n");
  const { metadata, body } = cardOf(original);
  expect(metadata).toEqual({
    license: "apache-2.0",
    language: ["en", "de"],
    tags: ["text-generation", "unembed"],
    base_model: "org/name",
    base_model_relation: "finetune",
  });
  expect(body.indexOf("# The original")).toBeGreaterThan(body.indexOf("card of the original model"));
  expect(body).toMatch(/# The original\n\nIt is good\.\n$/);
});

test.each([
  ["no metadata", "# Title\n\n---\n\ntext\n---\n", "# Title\n\n---\n\ntext\n---"],
  ["metadata that is no YAML", "---\na: [b\n: c\n---\ntext", "text"],
  ["a list for metadata", "---\n- a\n- b\n---\ntext", "text"],
  ["metadata nested without end", `---\na: ${"[".repeat(30_000)}\n---\ntext`, "text"],
  ["metadata too long to be any", `---\na: ${"b".repeat(70_000)}\n---\ntext`, "text"],
  ["metadata that is never closed", "---\na: b\ntext", "---\na: b\ntext"],
  ["a tag that is no list", "---\ntags: one\n---\ntext", "text"],
])("an original with %s: the card below stays as it is", (_, original, below) => {
  const { metadata, body } = cardOf(original);
  expect(metadata).toEqual({ base_model: "org/name", base_model_relation: "finetune", tags: ["unembed"] });
  expect(body.endsWith(`\n\n${below}\n`)).toBe(true);
});

test("what an alias stands for stays, also where its anchor goes", () => {
  const { metadata } = cardOf("---\nbase_model: &a mit\nlicense: *a\ntags: &t [*a]\nlist: [*t, *t]\n---\ntext");
  expect(metadata).toMatchObject({ license: "mit", base_model: "org/name", tags: ["mit", "unembed"] });
  expect(metadata.list).toEqual([["mit"], ["mit"]]);
  const many = ["a: &a0 [x]", ...Array.from({ length: 20 }, (_, i) => `b${i}: &a${i + 1} [${`*a${i},`.repeat(9)}]`)];
  expect(Object.keys(cardOf(`---\n${many.join("\n")}\n---\ntext`).metadata)).toHaveLength(3);
});

test("a name cannot put anything else into the card", () => {
  const { metadata, body } = cardOf(undefined, "x\ntags: [evil]\n# <b>[y](z)");
  expect(metadata.tags).toEqual(["unembed"]);
  expect(body).toContain("# x tags: \\[evil\\] \\# \\<b\\>\\[y\\]\\(z\\), changed");
});

test.each([
  [" the", "`␣`".replace("␣", " the")],
  ["`", "`` ` ``"],
  ["a|b", "`a\\|b`"],
  ["``x`", "``` ``x` ```"],
])("%j is shown as it is in a table", (text, shown) => {
  expect(code(text)).toBe(shown);
});
