import { describe, expect, test } from "vitest";
import type { RunProgress } from "../../runs/run-events.js";
import { paceMeter } from "./pace.js";
import { duration, progressText } from "./progress-text.js";
import { type RunLine, runLine } from "./run-line.js";

/** A stream that keeps what is written, and a clock that is set by hand. */
function watched(isTTY: boolean): { line: RunLine; at(seconds: number): void; written(): string } {
  let [time, text] = [0, ""];
  const write = (chunk: unknown) => {
    text += `${chunk}`;
    return true;
  };
  return {
    line: runLine({ isTTY, columns: 100, write } as NodeJS.WriteStream, { now: () => 1000 * time }),
    at(seconds) {
      time = seconds;
    },
    written() {
      const found = text;
      text = "";
      return found;
    },
  };
}

const tokens = (done: number, total?: number): RunProgress => ({
  type: "progress",
  phase: "analyze",
  done,
  total,
  unit: "tokens",
});
const bytes = (done: number, total: number): RunProgress => ({
  type: "progress",
  phase: "fetch",
  done,
  total,
  unit: "bytes",
});

describe("rate and time left", () => {
  test("are said from when they mean something, and not at the end", () => {
    const meter = paceMeter();
    const none = { rate: undefined, secondsLeft: undefined };
    expect(meter.measure(0, 10_000, 0)).toEqual(none);
    expect(meter.measure(500, 10_000, 1)).toEqual(none);
    expect(meter.measure(1000, 10_000, 2)).toEqual({ rate: 500, secondsLeft: 18 });
    expect(meter.measure(9000, 10_000, 18)).toEqual({ rate: 500, secondsLeft: undefined });
    expect(meter.measure(10_000, 10_000, 20)).toEqual(none);
  });

  test("are not said of a start of less than a fiftieth", () => {
    const meter = paceMeter();
    meter.measure(0, 10_000, 0);
    expect(meter.measure(100, 10_000, 60).secondsLeft).toBeUndefined();
    expect(meter.measure(200, 10_000, 120).secondsLeft).toBeCloseTo(5880);
  });

  test("are those of the last seconds, of this run alone", () => {
    const meter = paceMeter();
    // A run that goes on: what it begins with took no time.
    meter.measure(5000, 10_000, 100);
    for (let second = 1; second <= 60; second++) meter.measure(5000 + second, 10_000, 100 + second);
    for (let second = 1; second <= 30; second++) meter.measure(5060 + 100 * second, 10_000, 160 + second);
    const { rate, secondsLeft } = meter.measure(8160, 10_000, 191);
    expect(rate).toBeCloseTo(100);
    expect(secondsLeft).toBeCloseTo(18.4);
  });

  test("wait again where the count begins anew, and stand still with it", () => {
    const meter = paceMeter();
    meter.measure(0, 100, 0);
    expect(meter.measure(50, 100, 5).rate).toBe(10);
    expect(meter.measure(0, 100, 6).rate).toBeUndefined();
    expect(meter.measure(10, 100, 9).rate).toBeCloseTo(10 / 3);
    expect(meter.measure(10, 100, 60).rate).toBeUndefined();
  });

  test("of work whose end is not known there is a rate only", () => {
    const meter = paceMeter();
    meter.measure(0, undefined, 0);
    expect(meter.measure(300, undefined, 3)).toEqual({ rate: 100, secondsLeft: undefined });
  });
});

test.each<[RunProgress, number | undefined, number | undefined, string]>([
  [tokens(4800, 10_000), 1234.4, 42, "analyze [############------------] 48% 1,234 tokens/s, 42 s left"],
  [tokens(12, 10_000), undefined, undefined, "analyze [------------------------] 0%"],
  [tokens(11_000, 10_000), undefined, undefined, "analyze [########################] 100%"],
  [tokens(4800), 10, undefined, "analyze 4,800 tokens 10 tokens/s"],
  [bytes(1.5e6, 3e6), 1e5, 15, "fetch [############------------] 1.5 of 3.0 MB 15 s left"],
  [
    { ...tokens(3, 16), phase: "probe", unit: "checkpoints", found: "step 2: R2 0.5" },
    1,
    13,
    "probe [#####-------------------] 3 of 16 13 s left step 2: R2 0.5",
  ],
])("%o", (event, rate, secondsLeft, wanted) => {
  expect(progressText(event, { rate, secondsLeft })).toBe(wanted);
});

test.each([
  [4.4, "4 s"],
  [59.6, "1 min 0 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
])("%d seconds are %s", (seconds, wanted) => expect(duration(seconds)).toBe(wanted));

test("on a terminal the line is drawn anew ten times a second", () => {
  const { line, at, written } = watched(true);
  line.onEvent(tokens(0, 100));
  expect(written()).toBe("\ranalyze [------------------------] 0%\x1b[K");
  at(0.05);
  line.onEvent(tokens(1, 100));
  expect(written()).toBe("");
  at(0.1);
  line.onEvent(tokens(100, 100));
  expect(written()).toContain("100%\x1b[K");
  line.onEvent({ type: "notice", message: "look" });
  expect(written()).toBe("\r\x1b[Klook\n");
  line.stop();
  expect(written()).toBe("");
});

test("what is fetched meanwhile stands beside the work, and alone where there is none", () => {
  const { line, at, written } = watched(true);
  line.onEvent(bytes(1e6, 4e6));
  expect(written()).toBe("\rfetch [######------------------] 1.0 of 4.0 MB\x1b[K");
  at(1);
  line.onEvent({ ...tokens(2, 4), phase: "probe", unit: "checkpoints", found: "step 2" });
  expect(written()).toBe("\rprobe [############------------] 2 of 4  fetched 1.0 of 4.0 MB\x1b[K");
  at(1.2);
  line.onEvent(bytes(2e6, 4e6));
  expect(written()).toContain("2 of 4  fetched 2.0 of 4.0 MB");
  at(1.3);
  line.onEvent(bytes(4e6, 4e6));
  expect(written()).toBe("\rprobe [############------------] 2 of 4\x1b[K");
});

test("elsewhere: a line when something begins, when it goes on for long, and of all that is found or fetched", () => {
  const { line, at, written } = watched(false);
  line.onEvent(tokens(0, 1000));
  expect(written()).toBe("");
  at(1);
  line.onEvent(tokens(100, 1000));
  expect(written()).toBe("analyze [##----------------------] 10%\n");
  at(5);
  line.onEvent(tokens(500, 1000));
  line.onEvent(bytes(1e6, 2e6));
  expect(written()).toBe("");
  line.onEvent(bytes(2e6, 2e6));
  expect(written()).toBe("fetch [########################] 2.0 of 2.0 MB\n");
  line.onEvent({ ...tokens(501, 1000), found: "KL 0.1" });
  expect(written()).toContain("KL 0.1\n");
  at(15);
  line.onEvent(tokens(600, 1000));
  expect(written()).toMatch(/^analyze \[#+-+\] 60% \d+ tokens\/s, \d+ s left\n$/);
  line.stop();
  expect(written()).toBe("");
});

test("quiet says nothing", () => {
  const { line, written } = watched(false);
  const quiet = runLine(process.stderr, { quiet: true });
  quiet.onEvent(tokens(5, 10));
  quiet.onEvent({ type: "notice", message: "x" });
  line.stop();
  expect(written()).toBe("");
});
