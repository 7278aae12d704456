import { expect, test } from "vitest";
import { readHeadRows } from "../../model/head/head-rows.js";
import { loadModel } from "../../node/load-model.js";
import { removedMassSession } from "./removed-mass.js";

test("tells what goes and what stays, also where next to nothing does", async () => {
  const model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
  const { vocabSize: V, hiddenSize: d } = model;
  const all = Array.from({ length: V }, (_, id) => id);
  const { rows } = await readHeadRows(model.head, all);
  // Along one row: its token is certain, as far as float64 tells.
  const likely = 5;
  const square = rows.subarray(likely * d, (likely + 1) * d).reduce((sum, x) => sum + x * x, 0);
  const hidden = Float32Array.from(
    { length: 2 * d },
    (_, i) => (rows[likely * d + (i % d)]! / square) * (i < d ? 1 : 200),
  );
  const session = await removedMassSession(
    model.engine,
    model.head,
    Int32Array.from(all.filter((id) => id !== likely)),
  );
  const { removed, keptLogProbability, nextLogProbability } = await session.run(hidden, Int32Array.of(1, 1));
  await session.release();
  await model.close();
  for (const t of [0, 1]) {
    const z = all.map((id) =>
      rows.subarray(id * d, (id + 1) * d).reduce((sum, x, i) => sum + x * hidden[t * d + i]!, 0),
    );
    const most = Math.max(...z);
    const logSum = (ids: readonly number[]) =>
      most + Math.log(ids.reduce((sum, id) => sum + Math.exp(z[id]! - most), 0));
    const kept = logSum(all.filter((id) => id !== likely)) - logSum(all);
    expect(keptLogProbability[t]! / kept).toBeCloseTo(1, 5);
    expect(removed[t]).toBeCloseTo(-Math.expm1(kept), 6);
    expect(nextLogProbability[t]! / (z[1]! - logSum(all))).toBeCloseTo(1, 5);
  }
  expect(removed[1]).toBe(1);
  expect(keptLogProbability[1]).toBeLessThan(-37);
});
