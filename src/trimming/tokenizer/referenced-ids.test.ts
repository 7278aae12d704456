import { expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import { referencedIds } from "./referenced-ids.js";

const folderOf = (files: Record<string, object>) => ({
  name: "model",
  open: async (name: string) => files[name] && bytesSource(name, new TextEncoder().encode(JSON.stringify(files[name]))),
});

test("ids of both configs, each once, however many a made file lists", async () => {
  const config = { eos_token_id: 2, vocab_size: 9 };
  expect(await referencedIds(folderOf({ "config.json": config }), 9)).toEqual([2]);
  const listed = Array.from({ length: 300_000 }, (_, i) => i % 12);
  const files = { "config.json": config, "generation_config.json": { suppress_tokens: listed } };
  expect(await referencedIds(folderOf(files), 9)).toEqual([2, 0, 1, 3, 4, 5, 6, 7, 8]);
});
