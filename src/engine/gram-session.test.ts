import { expect, test } from "vitest";
import { gram as plainGram } from "../linalg/gram.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { gramSession } from "./gram-session.js";

test("gives X'X of the rows that are asked for, also of an array with room for more", async () => {
  const engine = createEngine({ threads: 1 });
  try {
    const { gram } = await gramSession(engine);
    const block = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i));
    for (const rows of [10, 7, 1]) {
      const wanted = await plainGram(block.slice(0, rows * 4), rows, 4);
      const found = await gram(block, rows, 4);
      for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 12);
    }
  } finally {
    await engine.close();
  }
});
