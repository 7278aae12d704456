/**
 * Time and peak memory of probing one checkpoint, on synthetic output embeddings of three sizes, each in its own process:
 *
 *     npx tsx bench/dynamics.ts [--threads 2] [--only 2560]
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { countFrequencies } from "../src/dynamics/inputs/frequencies.js";
import { probeCheckpoint, probeTarget } from "../src/dynamics/probe/probe.js";
import { gramSession } from "../src/engine/gram-session.js";
import { seededRandom } from "../src/linalg/random.js";
import { createEngine } from "../src/node/engine/onnx-engine.js";
import { openFileSource } from "../src/node/files/file-source.js";
import { encodeFloat16 } from "../src/tensor/dtype.js";
import { readSafetensorsHeader, readTensor } from "../src/tensor/safetensors/safetensors.js";
import { layOutSafetensors } from "../src/tensor/safetensors/write-safetensors.js";
import { measured } from "./measured.js";

const sizes = [
  { name: "tiny-books-neox", rows: 4096, columns: 128, boundSeconds: 0.1, times: 10 },
  { name: "Pythia-70m", rows: 50_304, columns: 512, boundSeconds: 3, times: 2 },
  { name: "Pythia-2.8b", rows: 50_304, columns: 2560, boundSeconds: 60, times: 1 },
];

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: `${availableParallelism()}` },
    only: { type: "string" },
    one: { type: "string" },
    file: { type: "string" },
  },
});

if (values.one !== undefined) await probeOne(Number(values.one), values.file!, Number(values.threads));
else {
  const folder = await mkdtemp(join(tmpdir(), "unembed-bench-"));
  try {
    console.log(
      "| size | V | d | read, s | probe, s | bound, s | peak memory, MB | of that Node and engine, MB | E in float32, MB | times E |",
    );
    console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (const [index, { name, rows, columns, boundSeconds }] of sizes.entries()) {
      if (values.only !== undefined && Number(values.only) !== columns) continue;
      const file = join(folder, `${columns}.safetensors`);
      await writeSynthetic(file, rows, columns);
      const { megabytes, result } = await measured(process.execPath, [
        ...["--import", "tsx", fileURLToPath(import.meta.url), "--one", `${index}`, "--file", file],
        ...["--threads", values.threads],
      ]);
      const { read, probe, idle } = result as unknown as { read: number; probe: number; idle: number };
      const size = (rows * columns * 4) / 2 ** 20;
      console.log(
        `| ${name} | ${rows} | ${columns} | ${read.toFixed(2)} | ${probe.toFixed(2)} | ${boundSeconds} | ${megabytes.toFixed(0)} | ${idle.toFixed(0)} | ${size.toFixed(0)} | ${((megabytes - idle) / size).toFixed(2)} |`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Best of a few, as later checkpoints of a run find the code warm. */
async function probeOne(index: number, file: string, threads: number): Promise<void> {
  const { rows, times } = sizes[index]!;
  const { tensors } = await readSafetensorsHeader(await openFileSource(file));
  const entry = tensors.get("embed_out.weight")!;
  const frequencies = countFrequencies({
    counts: zipfCounts(rows),
    source: "made up",
    vocabSize: rows,
    seenOnly: false,
  });
  const target = probeTarget(frequencies, 0);
  const engine = createEngine({ threads });
  const { gram } = await gramSession(engine);
  // What the process takes before it has seen any weight.
  const idle = process.memoryUsage.rss() / 2 ** 20;
  let [read, probe] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < times; i++) {
    let started = performance.now();
    target.room = await readTensor(entry, target.room);
    read = Math.min(read, (performance.now() - started) / 1000);
    started = performance.now();
    await probeCheckpoint({ name: "synthetic", step: 1 }, entry, target, gram);
    probe = Math.min(probe, (performance.now() - started) / 1000);
  }
  await engine.close();
  console.log(JSON.stringify({ read, probe: probe - read, idle }));
}

function zipfCounts(rows: number): Float64Array {
  const random = seededRandom(1);
  return Float64Array.from({ length: rows }, (_, id) => Math.floor((1e8 / (id + 10)) * (0.5 + random())));
}

/** Rows of noise with columns of different sizes, and the frequency along one direction. */
async function writeSynthetic(path: string, rows: number, columns: number): Promise<void> {
  const random = seededRandom(2);
  const scales = Float32Array.from({ length: columns }, () => 0.2 + random());
  async function* chunks() {
    const shape = [rows, columns];
    yield layOutSafetensors([{ name: "embed_out.weight", dtype: "F16" as const, shape }]).header;
    for (let row = 0; row < rows; row++) {
      const values = scales.map(
        (scale, j) => scale * (random() + random() + random() - 1.5) + (j % 7 === 0 ? Math.log(row + 10) / 20 : 0),
      );
      yield new Uint8Array(encodeFloat16(values).buffer);
    }
  }
  await writeFile(path, chunks());
}
