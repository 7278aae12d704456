import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { processorCapabilities } from "../engine/capabilities.js";
import type { Engine } from "../engine/engine.js";
import { InputError } from "../errors.js";
import { bytesSource, type Folder } from "../tensor/byte-source.js";
import { openModel } from "./model.js";

const noEngine: Engine = {
  threads: 1,
  capabilities: processorCapabilities,
  load: () => Promise.reject(new Error("nothing is to be loaded here")),
  close: async () => {},
};

/** A golden checkpoint with another config. */
async function withConfig(name: string, config: unknown): Promise<Folder> {
  const weights = await readFile(`test/goldens/arch/${name}/model.safetensors`);
  const files = new Map<string, Uint8Array>([
    ["config.json", new TextEncoder().encode(typeof config === "string" ? config : JSON.stringify(config))],
    ["model.safetensors", weights],
  ]);
  return {
    name,
    open: async (file) => {
      const bytes = files.get(file);
      return bytes && bytesSource(`${name}/${file}`, bytes);
    },
  };
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, "utf8"));
}

const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer(),
  fc.constantFrom(0, -1, 0.5, 1e9, 2 ** 53, 1e300, "", "gelu", "cross", [], {}, true, false, null),
);

test.each(["gpt2", "gpt_neox_parallel"])(
  "%s: any value in any field of the config is refused in one line or fits",
  async (name) => {
    const config = await readJson(`test/goldens/arch/${name}/config.json`);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(config)), anyValue, async (field, value) => {
        try {
          const model = await openModel(await withConfig(name, { ...config, [field]: value }), noEngine, name);
          expect(model.head.weight.shape).toEqual([model.vocabSize, model.hiddenSize]);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toMatch(/^[^\n]*(config\.json: field|safetensors: tensor|: tensor)[^\n]*$/);
        }
      }),
      { numRuns: 300, interruptAfterTimeLimit: 20_000 },
    );
  },
);

test.each<[string, unknown, RegExp]>([
  ["not JSON", "{", /gpt2\/config\.json: config is not JSON/],
  ["not an object", "[1]", /gpt2\/config\.json: is not a JSON object/],
  ["no model_type", {}, /field "model_type" is missing/],
  ["heads that do not divide", { n_head: 5 }, /field "n_head" is 5, which does not divide n_embd = 24/],
  ["an unknown activation", { activation_function: "cubic" }, /field "activation_function" is "cubic"; one of gelu/],
  ["cross attention", { add_cross_attention: true }, /field "add_cross_attention" is true; only false/],
  ["a number as text", { n_layer: "2" }, /field "n_layer" is "2"; a positive integer is wanted/],
])("a config that is %s", async (_name, change, message) => {
  const config = await readJson("test/goldens/arch/gpt2/config.json");
  const changed =
    typeof change === "string" || Object.keys(change as object).length === 0
      ? change
      : { ...config, ...(change as object) };
  await expect(openModel(await withConfig("gpt2", changed), noEngine, "gpt2")).rejects.toThrow(message);
});
