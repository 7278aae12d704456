/**
 * Peak memory of an analysis, or of one edit, against the length of the text: it must not grow with it.
 *
 *     npx tsx bench/memory.ts [--steer] [--threads 2]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measured } from "./measured.js";

const { values } = parseArgs({
  options: { threads: { type: "string", default: `${availableParallelism()}` }, steer: { type: "boolean" } },
});
const command = values.steer ? ["steer", "--edit", " the=x0.5", "--check-tokens", "2000", "--texts", "0"] : ["analyze"];
const folder = await mkdtemp(join(tmpdir(), "unembed-bench-"));
const texts = ["books-fit", "books-heldout", "speeches"].map((name) => `assets/corpus/${name}.txt`);
try {
  const peaks: number[] = [];
  console.log("| tokens | peak memory, MB | seconds |\n| --- | --- | --- |");
  for (const tokens of [100_000, 1_000_000]) {
    const { megabytes, seconds } = await measured(process.execPath, [
      ...["bin/unembed.js", ...command, "--tokens", `${tokens}`, "--threads", values.threads, "--corpus", ...texts],
      ...["--out", join(folder, `${tokens}`), "--json", "--quiet"],
    ]);
    peaks.push(megabytes);
    console.log(`| ${tokens.toLocaleString("en")} | ${megabytes.toFixed(0)} | ${seconds.toFixed(1)} |`);
  }
  console.log(`ratio ${(peaks[1]! / peaks[0]!).toFixed(3)}`);
} finally {
  await rm(folder, { recursive: true });
}
