import { expect, test } from "vitest";
import { unembed } from "../support/command.js";

/** DirectML and Core ML are parts of onnxruntime on one system each. */
const [absent, system] = process.platform === "win32" ? ["coreml", "macOS"] : ["dml", "Windows"];

test("devices says what computes right, and what to install for one that does not start", async () => {
  const { code, stdout, stderr } = await unembed(["devices", "cpu", absent, "--json", "--quiet"]);
  const [cpu, missing] = JSON.parse(stdout).devices;
  expect(cpu).toMatchObject({ device: "cpu", state: "works", reason: null });
  expect(cpu.difference).toBeLessThan(1e-5);
  expect(cpu.tokensPerSecond).toBeGreaterThan(0);
  expect(missing).toMatchObject({ device: absent, state: "missing", tokensPerSecond: null });
  // One that was named has to start.
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^unembed: device ${absent}: .*part of onnxruntime-node on ${system} alone\\n$`));
});

test("a device that does not start ends a command with one line", async () => {
  const { code, stdout, stderr } = await unembed(["generate", "--prompt", "a", "--device", absent, "--quiet"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(new RegExp(`^unembed: device ${absent}: does not start: .*${system} alone\\n$`));
});
