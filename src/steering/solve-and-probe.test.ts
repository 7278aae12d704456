import { afterAll, beforeAll, expect, test } from "vitest";
import { readHeadRows } from "../model/head/head-rows.js";
import type { Model } from "../model/model.js";
import { loadModel } from "../node/load-model.js";
import type { EditPlan } from "./plan/saved-plan.js";
import type { PlanSolver } from "./plan-solver.js";
import { type Probes, probeContexts } from "./probes/probe-contexts.js";
import type { Solution } from "./solve/solution.js";
import { solveAndProbe } from "./solve-and-probe.js";

let model: Model;
let probes: Probes;
beforeAll(async () => {
  model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
  const ids = Int32Array.from({ length: model.vocabSize }, (_, id) => id);
  probes = await probeContexts(model, { fit: ids.subarray(0, 40), ids, most: 100 });
});
afterAll(async () => {
  await probes.release();
  await model.close();
});

const plan = (): EditPlan => ({
  ...{ schema: "unembed-edit-plan", schemaVersion: 1, vocabulary: { size: model.vocabSize, sha256: "" } },
  ...{ method: "nearest", lambda: 1e-4, calibrate: true },
  edits: [3, 9].map((id) => ({ label: `id:${id}=x0.5`, target: { scale: 0.5 }, tokens: [{ id, text: "" }] })),
});

/** Solutions in which token 3's row is so many times as long, and token 9's what it was. */
async function solutions(lengths: readonly number[], method: "nearest" | "mean" = "nearest"): Promise<Solution[]> {
  const { rows } = await readHeadRows(model.head, [3, 9]);
  const d = model.hiddenSize;
  const group = {
    ...{ target: { scale: 0.5 }, method, probability: { before: 0.02, wanted: 0.01, after: 0.01 } },
    ...{ idealBias: -0.7, klToIdeal: 0, klOfIdeal: 1, norms: [1] },
  };
  return lengths.map((length) => ({
    ...{ method, warnings: [], groups: [3, 9].map((id) => ({ ...group, tokens: [id] })) },
    rows: { ids: Int32Array.of(3, 9), values: rows.map((value, i) => (i < d ? length * value : value)) },
  }));
}

test("what went wrong joins the fit of the edit that it went wrong for, and counts more each time", async () => {
  const asked: Parameters<PlanSolver>[0][] = [];
  const [wrong, again, right] = await solutions([40, 30, 1]);
  const rounds = [wrong!, again!, right!];
  const solve: PlanSolver = async (alsoRight) => rounds[asked.push(alsoRight) - 1]!;
  const { solution, probed } = await solveAndProbe(model, plan(), solve, probes);
  expect(solution).toBe(right);
  expect(probed.map(({ unsafe }) => unsafe.length)).toEqual([0, 0]);
  const [first, second, third] = asked;
  expect(asked).toHaveLength(3);
  expect(first).toBeUndefined();
  expect(second!.contexts.count).toBeGreaterThan(0);
  expect(second!.weights[0]).toEqual(new Float64Array(second!.contexts.count).fill(10));
  expect(second!.weights[1]).toBeUndefined();
  expect(third!.contexts.count).toBeGreaterThanOrEqual(second!.contexts.count);
  expect(Math.max(...third!.weights[0]!)).toBe(100);
});

test("what went wrong least often is kept, and only what another fit can change is solved again", async () => {
  const rounds = await solutions([40, 10, 60, 50, 70]);
  let calls = 0;
  const { solution, probed } = await solveAndProbe(model, plan(), async () => rounds[calls++]!, probes);
  expect(calls).toBe(5);
  expect(solution).toBe(rounds[1]);
  expect(probed[0]!.unsafe.length).toBeGreaterThan(0);
  const along = await solutions([40], "mean");
  calls = 0;
  expect((await solveAndProbe(model, plan(), async () => along[calls++]!, probes)).solution).toBe(along[0]);
});
