import { vi } from "vitest";
import { main } from "../../src/cli/main.js";

/** Runs the command line in this process, where a process of its own is not the point. */
export async function unembedHere(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const printed = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).flatMap((stream) => [
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      printed[stream] += `${text}`;
      return true;
    }),
    vi.spyOn(console, stream === "stdout" ? "log" : "error").mockImplementation((text) => {
      printed[stream] += `${text}\n`;
    }),
  ]);
  try {
    const code = await main(args);
    return { code, ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
