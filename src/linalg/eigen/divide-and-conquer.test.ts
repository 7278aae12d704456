import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dot } from "../dot.js";
import type { MatrixProduct } from "../matrix-product.js";
import { transposed } from "../matrix-product.js";
import { seededRandom } from "../random.js";
import { symmetricEigen, symmetricEigenBy } from "./symmetric-eigen.js";

const plainProduct: MatrixProduct = async (a, b, rows, inner, columns) => {
  const right = transposed(b, inner, columns);
  return Float64Array.from({ length: rows * columns }, (_, p) =>
    dot(a, Math.floor(p / columns) * inner, right, (p % columns) * inner, inner),
  );
};

/** Largest error of A v = lambda v, of V V' = I and against the QL iteration, relative to the largest eigenvalue. */
async function expectDecomposition(a: Float64Array, order: number): Promise<void> {
  const { values, vectors } = await symmetricEigenBy(plainProduct, a, order);
  const scale = Math.max(Number.MIN_VALUE, Math.abs(values[0]!), Math.abs(values[order - 1]!));
  const plain = symmetricEigen(a, order);
  let [residual, skew, distance] = [0, 0, 0];
  for (let i = 0; i < order; i++) {
    if (i > 0) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
    distance = Math.max(distance, Math.abs(values[i]! - plain.values[i]!) / scale);
    for (let j = 0; j < order; j++) {
      const product = dot(vectors, i * order, vectors, j * order, order);
      skew = Math.max(skew, Math.abs(product - (i === j ? 1 : 0)));
      const image = dot(a, j * order, vectors, i * order, order);
      residual = Math.max(residual, Math.abs(image - values[i]! * vectors[i * order + j]!) / scale);
    }
  }
  expect(skew).toBeLessThan(2e-13);
  expect(residual).toBeLessThan(2e-13);
  expect(distance).toBeLessThan(2e-13);
}

function symmetric(order: number, element: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: order * order }, (_, p) => {
    const [i, j] = [Math.floor(p / order), p % order];
    return element(Math.max(i, j), Math.min(i, j));
  });
}

/** X'X of a random X [rows, order]: of rank `rows`, if those are fewer. */
function covariance(order: number, rows: number, seed: number, columnScale = (_: number) => 1): Float64Array {
  const random = seededRandom(seed);
  const columns = Float64Array.from(
    { length: order * rows },
    (_, p) => (random() - 0.5) * columnScale(Math.floor(p / rows)),
  );
  return symmetric(order, (i, j) => dot(columns, i * rows, columns, j * rows, rows));
}

describe("decomposes by products", () => {
  it.each([1, 2, 64, 65, 130, 300])("a random matrix of order %i", async (order) => {
    const random = seededRandom(order);
    const numbers = Float64Array.from({ length: order * order }, () => random() - 0.5);
    await expectDecomposition(
      symmetric(order, (i, j) => numbers[i * order + j]!),
      order,
    );
  });

  it("matrices whose eigenvectors hardly couple: zero, identity, diagonal, blocks", async () => {
    await expectDecomposition(new Float64Array(70 * 70), 70);
    for (const element of [() => 1, (i: number) => (i * 5) % 3, (i: number) => i / 7]) {
      await expectDecomposition(
        symmetric(70, (i, j) => (i === j ? element(i) : 0)),
        70,
      );
    }
    await expectDecomposition(
      symmetric(150, (i, j) => (Math.floor(i / 2) === Math.floor(j / 2) ? 1 + (i === j ? 1 : 0) : 0)),
      150,
    );
  });

  it("ranks below the order, clusters, Wilkinson's nearly equal pairs", async () => {
    await expectDecomposition(covariance(140, 20, 1), 140);
    await expectDecomposition(
      symmetric(140, (i, j) => (i === j ? 1 : 0) + 1e-12 * ((i * j) % 7)),
      140,
    );
    await expectDecomposition(
      symmetric(141, (i, j) => (i === j ? Math.abs(i - 70) : i === j + 1 ? 1 : 0)),
      141,
    );
    await expectDecomposition(
      symmetric(141, () => 1),
      141,
    );
  });

  it("eigenvalues over many orders of magnitude, and elements of any size", async () => {
    await expectDecomposition(
      covariance(130, 200, 2, (i) => 10 ** (-i / 16)),
      130,
    );
    for (const size of [1e-300, 1e-160, 1e150]) {
      await expectDecomposition(
        symmetric(80, (i, j) => size * (((i * 7 + j * 11) % 13) - 6)),
        80,
      );
    }
  });

  it("small integers, with all their ties and zeros", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 65, max: 90 }),
        fc.integer(),
        fc.double({ min: 0, max: 1 }),
        (n, seed, full) => {
          const random = seededRandom(seed >>> 0);
          const numbers = Float64Array.from({ length: n * n }, () =>
            random() < full ? Math.floor(5 * random()) - 2 : 0,
          );
          return expectDecomposition(
            symmetric(n, (i, j) => numbers[i * n + j]!),
            n,
          );
        },
      ),
      { numRuns: 25 },
    );
  });
});

it("gives numpy's eigenvalues of order 100", async () => {
  const a = symmetric(100, (i, j) => (((i + 1) * (j + 1) * 13 + (i - j) ** 2 * 5) % 17) - 8);
  const { values } = await symmetricEigenBy(plainProduct, a, 100);
  const wanted = [
    [0, 192.6207936004564],
    [1, 135.77439490885163],
    [5, 89.98423402226425],
    [97, -133.83406356302044],
    [98, -138.61492192835846],
    [99, -182.1202652453834],
  ] as const;
  for (const [i, value] of wanted) expect(Math.abs(values[i]! / value - 1)).toBeLessThan(1e-8);
});

it("refuses NaN and infinity", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const place of [0, 70, 70 * 70 - 1]) {
      const a = symmetric(70, (i, j) => i + j);
      a[place] = bad;
      await expect(symmetricEigenBy(plainProduct, a, 70)).rejects.toThrow(RangeError);
    }
  }
});
