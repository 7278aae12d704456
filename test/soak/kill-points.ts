import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Ended {
  code: number | null;
  signal: string | null;
  stderr: string;
  milliseconds: number;
}

const steering = ["steer", "--edit", " the=x0.5", "--tokens", "500", "--check-tokens", "300", "--texts", "0"];
const analysis = ["analyze", "--tokens", "3000"];

/** Runs the command line. @param killAfter milliseconds until SIGKILL or SIGINT */
function run(args: readonly string[], killAfter?: number, signal: NodeJS.Signals = "SIGKILL"): Promise<Ended> {
  const began = performance.now();
  const child = spawn(process.execPath, ["bin/unembed.js", ...args, "--threads", "1", "--quiet"]);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill(signal), killAfter);
  return new Promise((resolve) => {
    child.on("close", (code, endedBy) => {
      clearTimeout(timer);
      resolve({ code, signal: endedBy, stderr, milliseconds: performance.now() - began });
    });
  });
}

/** Folders that were being written beside their places. */
const staged = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith(".unembed-"));

/**
 * Ends `steer` and `analyze` at random moments, half of them by SIGKILL and half by Ctrl-C. Of steer a folder is there
 * whole or not at all; what analyze had reached is gone on from to the same bytes.
 */
export async function killAtRandom(kills: number, seed: number, log: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), "unembed-soak-"));
  const problems: string[] = [];
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const whole = join(folder, "whole");
  const steered = await run([...steering, "--out", whole]);
  const files = (await readdir(whole)).sort().join();
  const analyzed = await run([...analysis, "--out", join(folder, "analyzed")]);
  const tensors = await readFile(join(folder, "analyzed", "tensors.safetensors"));
  const counts = { killed: 0, ended: 0 };
  for (let i = 0; i < kills; i++) {
    const signal = random() < 0.5 ? "SIGKILL" : "SIGINT";
    const steers = random() < 0.5;
    const out = join(folder, `out-${i}`);
    const args = [...(steers ? steering : analysis), "--out", out];
    const after = random() * (steers ? steered : analyzed).milliseconds;
    const place = `kill ${i}: ${signal} after ${after.toFixed(0)} ms of ${steers ? "steer" : "analyze"}`;
    const before = await staged(folder);
    const ended = await run(args, after, signal);
    if (ended.code === 0) counts.ended++;
    else counts.killed++;
    if (![0, 130, null].includes(ended.code)) problems.push(`${place}: code ${ended.code}: ${ended.stderr}`);
    if (steers) {
      const left = await readdir(out).catch(() => undefined);
      if (left !== undefined && left.sort().join() !== files) problems.push(`${place}: left ${left}`);
      const staying = (await staged(folder)).filter((name) => !before.includes(name));
      if (ended.signal === null && staying.length > 0) problems.push(`${place}: left ${staying}`);
    } else {
      const again = await run(args);
      const same = again.code === 0 && (await readFile(join(out, "tensors.safetensors"))).equals(tensors);
      if (!same) problems.push(`${place}: run again, code ${again.code}: ${again.stderr}`);
    }
    await rm(out, { recursive: true, force: true });
  }
  const last = await run([...steering, "--out", whole, "--force"]);
  const left = await staged(folder);
  if (last.code !== 0 || left.length > 0)
    problems.push(`the last run: code ${last.code}, left ${left}: ${last.stderr}`);
  await rm(folder, { recursive: true });
  log(`kills: ${counts.killed} ended a run, ${counts.ended} came after its end`);
  for (const problem of problems) log(`  ${problem}`);
  return { kills, problems };
}
