import { spawn } from "node:child_process";

/** Runs the command line as a user would. @param input text on standard input @param interruptAfter milliseconds */
export function unembed(args: readonly string[], input = "", interruptAfter?: number) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, ["bin/unembed.js", ...args], { stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {}).end(input);
    if (interruptAfter !== undefined) setTimeout(() => child.kill("SIGINT"), interruptAfter);
  });
}
