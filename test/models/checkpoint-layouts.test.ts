import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyze } from "../../src/encoding/analyze.js";
import { openCorpus } from "../../src/node/corpus/open-corpus.js";
import { openFileSource } from "../../src/node/files/file-source.js";
import { type LoadOptions, loadModel } from "../../src/node/load-model.js";
import { meanProbability } from "../../src/statistics/head-statistics.js";
import { writeNpy } from "../../src/tensor/npy.js";
import { readSafetensorsHeader, readTensor } from "../../src/tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";
import { type HubSession, openHubSession } from "../support/hub-session.js";
import { smallBooks } from "../support/small-books.js";

let folder: string;
let session: HubSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-layouts-"));
  session = await openHubSession();
});
afterAll(async () => {
  await session.close();
  await rm(folder, { recursive: true });
});

const golden = "test/goldens/arch/gpt2";
const hubOptions = () => ({ environment: session.environment, retry: session.retry });

async function alpha(
  model: string,
  corpus: string,
  options: LoadOptions = {},
  tokens?: number,
  dtype?: "uint16" | "uint32",
) {
  const opened = await loadModel(model, { threads: 1, ...options });
  try {
    const text = await openCorpus([corpus], { tokenDType: dtype }, hubOptions());
    return meanProbability((await analyze(opened, text, { contextLength: 24, tokens })).statistics);
  } finally {
    await opened.close();
  }
}

function expectSame(ours: Float64Array, wanted: Float64Array): void {
  expect(ours.length).toBe(wanted.length);
  for (const [w, value] of ours.entries()) expect(Math.abs(value / wanted[w]! - 1)).toBeLessThan(1e-6);
}

/** A model folder with the golden's config and other files beside. */
async function modelFolder(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await copyFile(join(golden, "config.json"), join(path, "config.json"));
  for (const [file, contents] of Object.entries(files)) await writeFile(join(path, file), contents);
  return path;
}

/** The names of a checkpoint's tensors, every other one in the second of two shards. */
function weightMap(names: Iterable<string>, ending: string): string {
  const entries = [...names].map((name, i) => [name, `model-${(i % 2) + 1}${ending}`]);
  return JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(entries) });
}

test("every layout of a checkpoint gives the same mean probabilities", async () => {
  const ids = join(folder, "ids.npy");
  const data = Int32Array.from({ length: 200 }, (_, i) => (i * i * 7 + 3 * i) % 160);
  await writeFile(ids, writeNpy({ dtype: "I32", shape: [200], data }));
  const wanted = await alpha(golden, ids);

  const { tensors } = await readSafetensorsHeader(await openFileSource(join(golden, "model.safetensors")));
  const shards = [0, 1].map(async (shard) => {
    const own = [...tensors.values()].filter((_, i) => i % 2 === shard);
    return writeSafetensors(
      await Promise.all(own.map(async (entry) => ({ ...entry, dtype: "F32" as const, data: await readTensor(entry) }))),
    );
  });
  const pickled = await readFile("test/goldens/torch/state_dict.bin");
  const weights = await readFile(join(golden, "model.safetensors"));
  const layouts: Record<string, Record<string, Uint8Array | string>> = {
    "safetensors shards": {
      "model.safetensors.index.json": weightMap(tensors.keys(), ".safetensors"),
      "model-1.safetensors": await shards[0]!,
      "model-2.safetensors": await shards[1]!,
    },
    pickle: { "pytorch_model.bin": pickled },
    "pickle shards": {
      "pytorch_model.bin.index.json": weightMap(tensors.keys(), ".bin"),
      "model-1.bin": pickled,
      "model-2.bin": pickled,
    },
  };
  for (const [name, files] of Object.entries(layouts)) {
    expectSame(await alpha(await modelFolder(name, files), ids), wanted);
  }

  const config = await readFile(join(golden, "config.json"));
  session.hub.add("org/name", "main", { "config.json": config, "model.safetensors": weights });
  session.hub.add("org/name", "step1", { "config.json": config, "pytorch_model.bin": pickled });
  for (const name of ["org/name", "org/name@step1", "hf://org/name"]) {
    expectSame(await alpha(name, ids, hubOptions()), wanted);
  }
  // What the hub gave lies in the cache, weights behind a symlink: it works offline and as a plain folder.
  const offline = { ...hubOptions(), environment: { ...session.environment, offline: true } };
  expectSame(await alpha("org/name", ids, offline), wanted);
});

test("every format of a text gives the same mean probabilities", async () => {
  const tokens = 400;
  const small = await smallBooks(join(folder, "small-books"));
  const text = (await readFile("test/goldens/tiny-books/text.txt", "utf8")).slice(0, 4000);
  const model = await loadModel(small, { threads: 1 });
  const ids = (await model.tokenizer()).encode(text).slice(0, tokens);
  await model.close();
  const json = JSON.stringify({ text });
  const files: Record<string, Uint8Array | string> = {
    "a.txt": text,
    "bom-crlf.txt": `\ufeff${text.replaceAll("\n", "\r\n")}`,
    "a.jsonl": `${json}\n`,
    "a.json": `[${json}]`,
    "a.txt.gz": gzipSync(text),
    "a.jsonl.gz": gzipSync(json),
    "rows.npy": writeNpy({ dtype: "I64", shape: [ids.length], data: BigInt64Array.from(ids, BigInt) }),
    "u16.bin": new Uint8Array(Uint16Array.from(ids).buffer),
    "u32.bin": new Uint8Array(Uint32Array.from(ids).buffer),
  };
  const wanted = await alpha(small, "test/goldens/tiny-books/text.txt", {}, tokens);
  for (const [name, contents] of Object.entries(files)) {
    await writeFile(join(folder, name), contents);
    const dtype = name === "u16.bin" ? "uint16" : "uint32";
    expectSame(await alpha(small, join(folder, name), {}, tokens, dtype), wanted);
  }

  session.hub.add("org/text", "main", { "data/part.jsonl": `${json}\n`, "README.md": "a card" }, { type: "dataset" });
  for (const name of ["hf://datasets/org/text", "hf://datasets/org/text/data/part.jsonl"]) {
    expectSame(await alpha(small, name, {}, tokens), wanted);
  }
});

test("text without a tokenizer is refused, and says what to do", async () => {
  await expect(alpha(golden, "test/goldens/tiny-books/text.txt")).rejects.toThrow(
    "text.txt: is text, and the model has no tokenizer.json to tokenise it with: give token ids",
  );
});
