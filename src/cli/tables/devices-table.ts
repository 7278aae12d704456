import type { TestedDevice } from "../../node/devices/tested-devices.js";
import { plain } from "../../report/page/numbers.js";

/** What is there, whether it is right and how fast; below it, why others do not start. */
export function devicesTable(found: readonly TestedDevice[]): string {
  const row = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd([8, 9, 12, 13, 0][i]!))
      .join("")
      .trimEnd();
  const tested = found.filter(({ state }) => state !== "missing").map(testedRow);
  const missing = found.filter(({ state }) => state === "missing");
  return [
    row(["device", "state", "off by", "attention", "tokens/s"]),
    ...tested.map(row),
    ...missing.map(({ device, reason }) => `${device.padEnd(8)}${reason}`),
  ].join("\n");
}

function testedRow({ device, state, difference, fusedAttention, tokensPerSecond }: TestedDevice): string[] {
  const speed = tokensPerSecond === null ? "" : Math.round(tokensPerSecond).toLocaleString("en");
  const off = difference === null ? "not finite" : plain(difference);
  return [device, state, off, fusedAttention ? "one step" : "single steps", speed];
}
