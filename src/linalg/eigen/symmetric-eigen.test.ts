import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dot } from "../dot.js";
import { seededRandom } from "../random.js";
import { symmetricEigen, symmetricEigenvalues } from "./symmetric-eigen.js";

/** Largest error of A v = lambda v and of V V' = I, relative to the largest eigenvalue. */
function expectDecomposition(a: Float64Array, order: number, tolerance: number): void {
  const { values, vectors } = symmetricEigen(a, order);
  const scale = Math.max(1e-300, Math.abs(values[0]!), Math.abs(values[order - 1]!));
  for (let i = 0; i < order; i++) {
    if (i > 0) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
    for (let j = 0; j <= i; j++) {
      const product = dot(vectors, i * order, vectors, j * order, order);
      expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(tolerance);
      const image = dot(a, j * order, vectors, i * order, order);
      expect(Math.abs(image - values[i]! * vectors[i * order + j]!) / scale).toBeLessThan(tolerance);
    }
  }
  const alone = symmetricEigenvalues(a, order);
  for (let i = 0; i < order; i++) expect(Math.abs(alone[i]! - values[i]!) / scale).toBeLessThan(tolerance);
}

function symmetric(order: number, element: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: order * order }, (_, p) => {
    const [i, j] = [Math.floor(p / order), p % order];
    return element(Math.max(i, j), Math.min(i, j));
  });
}

it("gives numpy's eigenvalues", () => {
  const a = symmetric(7, (i, j) => (((i + 1) * (j + 1) * 13 + (i - j) ** 2 * 5) % 17) - 8);
  const wanted = [
    16.562934000604727, 13.696215161281154, 7.814773589845217, -0.10939833397952105, -8.452630091094884,
    -11.655468403736275, -21.85642592292041,
  ];
  const { values } = symmetricEigen(a, 7);
  for (let i = 0; i < 7; i++) expect(values[i]).toBeCloseTo(wanted[i]!, 12);
});

describe("decomposes", () => {
  it.each([1, 2, 3, 4, 5, 17, 64, 150])("a random matrix of order %i", (order) => {
    const random = seededRandom(order);
    const numbers = Float64Array.from({ length: order * order }, () => random() - 0.5);
    expectDecomposition(
      symmetric(order, (i, j) => numbers[i * order + j]!),
      order,
      1e-12,
    );
  });

  it("zero, identity, diagonal and repeated eigenvalues", () => {
    expectDecomposition(new Float64Array(25), 5, 1e-15);
    expectDecomposition(
      symmetric(6, (i, j) => (i === j ? 1 : 0)),
      6,
      1e-15,
    );
    expectDecomposition(
      symmetric(6, (i, j) => (i === j ? (i * 5) % 3 : 0)),
      6,
      1e-15,
    );
    // I + u u' - w w': eigenvalue 1 thirty-eight times over.
    expectDecomposition(
      symmetric(40, (i, j) => (i === j ? 1 : 0) + ((i % 5) * (j % 5)) / 9 - (i * j) / 500),
      40,
      1e-13,
    );
    expect([...symmetricEigen(Float64Array.of(-3), 1).values]).toEqual([-3]);
  });

  it("elements of any size", () => {
    for (const size of [1e-300, 1e-160, 1e150]) {
      expectDecomposition(
        symmetric(9, (i, j) => size * (((i * 7 + j * 11) % 13) - 6)),
        9,
        1e-13,
      );
    }
    // Graded over forty orders of magnitude.
    expectDecomposition(
      symmetric(12, (i, j) => 10 ** (-2 * (i + j)) * (i === j ? 2 : 1)),
      12,
      1e-13,
    );
  });

  it("small integers, with all their ties and zeros", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 81 }),
        (n, x) =>
          expectDecomposition(
            symmetric(n, (i, j) => x[i * n + j]!),
            n,
            1e-12,
          ),
      ),
    );
  });
});

it("refuses NaN and infinity", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const place of [0, 3, 5, 6, 8]) {
      const a = symmetric(3, (i, j) => i + j);
      a[place] = bad;
      if (place !== 5) expect(() => symmetricEigen(a, 3)).toThrow(RangeError);
    }
  }
});
