import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

/** What a command took, and what it printed. */
export interface Measured<Result = { r2: number; tokensPerSecond: number }> {
  seconds: number;
  megabytes: number;
  result: Result;
}

/** Runs a command that prints one JSON object; wall time of the whole process and its peak resident memory (Linux). */
export async function measured<Result = Measured["result"]>(
  command: string,
  args: string[],
): Promise<Measured<Result>> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  let kilobytes = 0;
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    kilobytes = Math.max(kilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 20);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with code ${code}`);
  const lastLine = output.trim().split("\n").at(-1)!;
  return { seconds: (performance.now() - started) / 1000, megabytes: kilobytes / 1024, result: JSON.parse(lastLine) };
}
