import { expect, it } from "vitest";
import { dot } from "../dot.js";
import { gram } from "../gram.js";
import { seededRandom } from "../random.js";
import { leadingEigen } from "./leading-eigen.js";
import { symmetricEigen } from "./symmetric-eigen.js";

it.each([1, 2, 3, 7, 64, 131])("is part of the whole decomposition, order %i", async (order) => {
  const random = seededRandom(order);
  const a = await gram(
    Float64Array.from({ length: 3 * order * order }, () => random() - 0.4),
    3 * order,
    order,
  );
  const vector = Float64Array.from({ length: order }, () => random() - 0.5);
  const count = Math.min(4, order);
  const whole = symmetricEigen(a, order);
  const { values, vectors, coordinates } = leadingEigen(a, order, count, vector);
  expect(values).toEqual(whole.values);
  for (let i = 0; i < count; i++) {
    expect(Math.abs(dot(vectors, i * order, whole.vectors, i * order, order))).toBeCloseTo(1, 12);
    expect(dot(vectors, i * order, vector, 0, order)).toBeCloseTo(coordinates[i]!, 11);
  }
  for (let i = 0; i < order; i++) {
    expect(coordinates[i]).toBeCloseTo(dot(whole.vectors, i * order, vector, 0, order), 10);
  }
});

it("repeated eigenvalues still give unit vectors at right angles", () => {
  const order = 6;
  const a = Float64Array.from({ length: 36 }, (_, p) => (Math.floor(p / 6) === p % 6 ? 3 : 1));
  const { values, vectors } = leadingEigen(a, order, 4, new Float64Array(order).fill(1));
  const wanted = [8, 2, 2, 2, 2, 2];
  for (let i = 0; i < order; i++) expect(values[i]).toBeCloseTo(wanted[i]!, 13);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j <= i; j++) {
      expect(dot(vectors, i * order, vectors, j * order, order)).toBeCloseTo(i === j ? 1 : 0, 13);
      expect(dot(a, j * order, vectors, i * order, order)).toBeCloseTo(values[i]! * vectors[i * order + j]!, 13);
    }
  }
});
