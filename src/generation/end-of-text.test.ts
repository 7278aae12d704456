import { expect, it } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import { endOfTextIds } from "./end-of-text.js";

function folder(files: Record<string, unknown>) {
  return {
    name: "model",
    async open(name: string) {
      const value = files[name];
      return value === undefined ? undefined : bytesSource(name, new TextEncoder().encode(JSON.stringify(value)));
    },
  };
}

it.each<[string, Record<string, unknown>, number[]]>([
  ["one", { "generation_config.json": { eos_token_id: 3 }, "config.json": { eos_token_id: 4 } }, [3]],
  ["several", { "generation_config.json": { eos_token_id: [5, 9] }, "config.json": {} }, [5, 9]],
  ["those of config.json", { "config.json": { eos_token_id: 4 } }, [4]],
  [
    "those of config.json where the other has null",
    { "generation_config.json": { eos_token_id: null }, "config.json": { eos_token_id: 4 } },
    [4],
  ],
  ["none", { "generation_config.json": {}, "config.json": { eos_token_id: null } }, []],
])("end-of-text ids: %s", async (_name, files, wanted) => {
  expect([...(await endOfTextIds(folder(files)))]).toEqual(wanted);
});

it.each(["</s>", 1.5, [1, "2"], {}])("refuses %j", async (value) => {
  await expect(endOfTextIds(folder({ "generation_config.json": { eos_token_id: value } }))).rejects.toThrow(
    'generation_config.json: field "eos_token_id" is wanted as a whole number or a list of them',
  );
});
