import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { devices } from "../../engine/devices.js";
import { goldenTolerance } from "./golden.js";
import type { SelfTestQuestion, SelfTestResult } from "./self-test.js";

/** How a device fares: right; wrong, so that nothing is computed there; or not there. */
export type DeviceTest =
  | ({ readonly state: "works" | "wrong" } & SelfTestResult)
  | { readonly state: "missing"; readonly reason: string };

/** Longer than any card takes to start; a software renderer on a busy machine takes most of a minute. */
const longest = 10 * 60_000;

const answers = z.union([
  z.object({
    difference: z.number().nullable(),
    fusedAttention: z.boolean(),
    tokensPerSecond: z.number().optional(),
  }),
  z.object({ error: z.string() }),
]);

/** What devices were found to do, so that a command of two models tests its device once. */
const tested = new Map<string, Promise<DeviceTest>>();

/** Starts a device in a process of its own and compares what it computes with PyTorch's numbers; once for each question. */
export function testDevice(question: SelfTestQuestion): Promise<DeviceTest> {
  const key = JSON.stringify(question);
  const test = tested.get(key) ?? judged(question);
  tested.set(key, test);
  return test;
}

async function judged(question: SelfTestQuestion): Promise<DeviceTest> {
  const { missing } = devices[question.device];
  const { output, code } = await answer(question);
  const lastLine = output.trim().split("\n").at(-1) ?? "";
  const parsed = parse(lastLine);
  if (parsed === undefined) return { state: "missing", reason: `its driver ends the process (${code}); ${missing}` };
  if ("error" in parsed) return { state: "missing", reason: `${said(parsed.error)}; ${missing}` };
  // JSON has no infinity.
  const difference = parsed.difference ?? Number.POSITIVE_INFINITY;
  const state = difference <= goldenTolerance[question.precision] ? "works" : "wrong";
  return { state, ...parsed, difference, tokensPerSecond: parsed.tokensPerSecond };
}

function parse(line: string): z.infer<typeof answers> | undefined {
  try {
    return answers.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** The end of onnxruntime's message, which begins with the place in its source. */
function said(error: string): string {
  const [line = ""] = error.trim().split("\n");
  return line
    .replace(/^.*was false\. /, "")
    .replace(/^no available backend found\. ERR: /, "")
    .replace(/\.$/, "");
}

function answer(question: SelfTestQuestion): Promise<{ output: string; code: string }> {
  // From TypeScript sources (tests) the compiled file is used.
  const compiled = import.meta.url.endsWith(".ts") ? "../../../dist/node/devices/" : "./";
  const file = fileURLToPath(new URL(`${compiled}self-test-process.js`, import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(question)], {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: longest,
  });
  let output = "";
  child.stdout.on("data", (piece: Buffer) => {
    output += piece;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ output, code: signal ?? `exit code ${code}` }));
  });
}
