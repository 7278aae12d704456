import { afterAll, describe, expect, test } from "vitest";
import { float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { type HeadTransform, isIdentity, transform, transformedWithSlope } from "./head-transform.js";

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

const z = Float32Array.of(-40, -3, -0.5, 0, 0.25, 2, 35);

describe.each<HeadTransform>([{}, { scale: 1 }, { scale: 0.25 }, { softCap: 30 }, { scale: 2, softCap: 5 }])(
  "%j",
  (headTransform) => {
    test("the slope is the value's derivative", () => {
      const step = 1e-5;
      for (const at of z) {
        const { slope } = transform(headTransform, at);
        const rise = transform(headTransform, at + step).value - transform(headTransform, at - step).value;
        expect(rise / (2 * step)).toBeCloseTo(slope, 8);
      }
    });

    test("a graph gives the same value and slope", async () => {
      const graph = createGraph("transform");
      const input = graph.input("z", "float32", [z.length]);
      const { value, slope } = transformedWithSlope(graph, headTransform, input);
      expect(slope === undefined).toBe(isIdentity(headTransform));
      const ones = graph.constant(new Float32Array(z.length).fill(1), [z.length]);
      graph.output(graph.op("Mul", [value, ones]), "value", "float32", [z.length]);
      graph.output(slope ? graph.op("Mul", [slope, ones]) : graph.op("Mul", [ones, ones]), "slope", "float32", [
        z.length,
      ]);
      const session = await engine.load(graph);
      const outputs = await session.run({ z: { type: "float32", data: z, dims: [z.length] } });
      const [values, slopes] = [float32Output(outputs, "value"), float32Output(outputs, "slope")];
      for (const [i, at] of z.entries()) {
        const wanted = transform(headTransform, at);
        expect(values[i]).toBeCloseTo(wanted.value, 4);
        expect(slopes[i]).toBeCloseTo(wanted.slope, 5);
      }
      await session.release();
    });
  },
);
