import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../errors.js";
import { dot } from "../../linalg/dot.js";
import { seededRandom } from "../../linalg/random.js";
import { type Matrix, matrix } from "../../tensor/matrix.js";
import { fitEncoding } from "../fit-encoding.js";
import type { Rows } from "./fold-moments.js";
import { type Regression, regress } from "./regression.js";

function randomEmbedding(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  const random = seededRandom(seed);
  return matrix(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => random() - 0.5),
  );
}

function everyToken(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, id) => id);
}

function standardErrors({ fits, leastSquares, residualDegrees }: Regression): Float64Array {
  const variance = fits[0]!.residualSumOfSquares / residualDegrees;
  return leastSquares.inverseDiagonal().map((value) => Math.sqrt(variance * value));
}

function worst(actual: Float64Array, wanted: readonly number[]): number {
  return Math.max(...wanted.map((value, i) => Math.abs(actual[i]! / value - 1)));
}

/** Powers 1 ... d of i / 8, rounded to float32: the more of them, the nearer to dependent. */
function polynomial(columns: number): Rows {
  const embedding = matrix(
    60,
    columns,
    Float32Array.from({ length: 60 * columns }, (_, p) => (Math.floor(p / columns) / 8) ** ((p % columns) + 1)),
  );
  const response = Float64Array.from({ length: 60 }, (_, i) => ((i * 37) % 101) / 101 + i / 8);
  return { embedding, tokenIds: everyToken(60), responses: [response] };
}

// Solved by mpmath with 60 digits from the same float32 numbers.
describe("nearly dependent columns", () => {
  it("condition 296: cross products", async () => {
    const regression = await regress(polynomial(4));
    const fit = regression.fits[0]!;
    expect(regression.leastSquares.refinable).toBe(true);
    expect(regression.conditionNumber / 295.69792914346783).toBeCloseTo(1, 6);
    const slopes = [1.2481256085408179, -0.0927353083026517, 0.013274647868210112, -0.0006455574436187667];
    const errors = [0.3337625233640582, 0.18629183104892683, 0.038106144778204135, 0.0025626123206022606];
    expect(worst(fit.slopes, slopes)).toBeLessThan(1e-11);
    expect(worst(standardErrors(regression), errors)).toBeLessThan(1e-11);
    expect(fit.intercept).toBeCloseTo(0.30876336741289145, 12);
    expect(fit.r2).toBeCloseTo(0.9832116225811561, 13);
    expect(fit.crossValidatedR2).toBeCloseTo(0.9807961499343293, 13);
  });

  it("condition 332,000: QR of the rows", async () => {
    const regression = await regress(polynomial(8));
    const fit = regression.fits[0]!;
    expect(regression.leastSquares.refinable).toBe(false);
    expect(regression.leastSquares.rank).toBe(8);
    expect(regression.conditionNumber / 332039.222035842).toBeCloseTo(1, 6);
    const slopes = [
      2.8359226312369525, -2.743608436284241, 1.8748204074738943, -0.6747218631513958, 0.13545107053909416,
      -0.015070363882844745, 0.0008505096235266196, -1.8218907360078295e-5,
    ];
    const errors = [
      1.77290945013579, 3.793616497265182, 3.5830583815467887, 1.769461459729586, 0.49058225213453244,
      0.07684973242357822, 0.006347285304723183, 0.00021473405174490473,
    ];
    expect(worst(fit.slopes, slopes)).toBeLessThan(1e-9);
    expect(worst(standardErrors(regression), errors)).toBeLessThan(1e-9);
    expect(fit.intercept).toBeCloseTo(0.09676456962906844, 10);
    expect(fit.r2).toBeCloseTo(0.9836780664872539, 12);
    expect(fit.crossValidatedR2).toBeCloseTo(0.9780052169967972, 11);
  });
});

describe("undetermined slopes", () => {
  const embedding = randomEmbedding(200, 6, 1);
  const response = Float64Array.from({ length: 200 }, (_, w) => 3 * embedding.data[w * 6]! + ((w * 31) % 17) / 20);
  const tokenIds = everyToken(200);

  function withColumn(value: (row: Float32Array, id: number) => number): Matrix<Float32Array> {
    const data = new Float32Array(200 * 7);
    for (let w = 0; w < 200; w++) {
      const row = embedding.data.subarray(w * 6, w * 6 + 6);
      data.set(row, w * 7);
      data[w * 7 + 6] = value(row, w);
    }
    return matrix(200, 7, data);
  }

  it("a column twice: half of its slope to each, all else as without", async () => {
    const once = await regress({ embedding, tokenIds, responses: [response] });
    const twice = await regress({ embedding: withColumn((row) => row[2]!), tokenIds, responses: [response] });
    expect(twice.leastSquares.rank).toBe(6);
    expect(twice.residualDegrees).toBe(200 - 7);
    const [wanted, actual] = [once.fits[0]!, twice.fits[0]!];
    expect(actual.r2).toBeCloseTo(wanted.r2, 12);
    expect(actual.crossValidatedR2).toBeCloseTo(wanted.crossValidatedR2, 12);
    for (const i of [0, 1, 3, 4, 5]) expect(actual.slopes[i]).toBeCloseTo(wanted.slopes[i]!, 12);
    for (const i of [2, 6]) {
      expect(actual.slopes[i]).toBeCloseTo(wanted.slopes[2]! / 2, 12);
      expect(standardErrors(twice)[i]).toBeCloseTo(standardErrors(once)[2]! / 2, 12);
    }
  });

  it.each([0, 0.1, -1e30])("a constant column of %d: no slope, all else as without", async (constant) => {
    const without = await regress({ embedding, tokenIds, responses: [response] });
    const regression = await regress({ embedding: withColumn(() => constant), tokenIds, responses: [response] });
    expect(regression.leastSquares.rank).toBe(6);
    expect(regression.fits[0]!.slopes[6]).toBe(0);
    expect(standardErrors(regression)[6]).toBe(0);
    expect(regression.fits[0]!.r2).toBeCloseTo(without.fits[0]!.r2, 13);
    expect(regression.fits[0]!.crossValidatedR2).toBeCloseTo(without.fits[0]!.crossValidatedR2, 13);
  });

  it("a column that varies in one fold only", async () => {
    const spike = withColumn((_, id) => (id === 33 ? 1 : 0));
    const { fits, leastSquares } = await regress({ embedding: spike, tokenIds, responses: [response] });
    expect(leastSquares.rank).toBe(7);
    // Its slope takes up all of token 33's residual, and says nothing on the others.
    expect(fits[0]!.fitted[33]).toBeCloseTo(response[33]!, 12);
    expect(fits[0]!.crossValidatedR2).toBeGreaterThan(0.8);
  });

  it("a constant column leaves t = 0 and p = 1, not NaN", async () => {
    const meanProbability = response.map((value) => Math.exp(-value));
    const encoding = await fitEncoding({ embedding: withColumn(() => 2), tokenIds, meanProbability });
    expect([encoding.tValues[6], encoding.pValues[6]]).toEqual([0, 1]);
    expect(encoding.degreesOfFreedom).toEqual({ model: 6, residual: 193 });
  });
});

describe("ordinary least squares", () => {
  it("leaves residuals orthogonal to every column and to the constant", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 80 }),
        fc.integer(),
        async (d, more, seed) => {
          const rows = d + 2 + more;
          const embedding = randomEmbedding(rows, d, seed);
          const random = seededRandom(seed + 1);
          const response = Float64Array.from({ length: rows }, () => 10 * random());
          const { fits } = await regress({ embedding, tokenIds: everyToken(rows), responses: [response] });
          const residual = response.map((value, i) => value - fits[0]!.fitted[i]!);
          const column = (j: number) => residual.map((_, i) => embedding.data[i * d + j]!);
          for (let j = 0; j < d; j++) expect(Math.abs(dot(residual, 0, column(j), 0, rows))).toBeLessThan(1e-9);
          expect(Math.abs(residual.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-9);
        },
      ),
    );
  });

  it("fits several responses at once as it fits each, on any subset of the rows", async () => {
    const embedding = randomEmbedding(400, 20, 5);
    const tokenIds = everyToken(400).filter((id) => id % 3 !== 1);
    const responses = [7, 11, 13].map((k) => Float64Array.from(tokenIds, (id) => ((id * k) % 29) / 7));
    const together = await regress({ embedding, tokenIds, responses });
    for (const [r, response] of responses.entries()) {
      const alone = (await regress({ embedding, tokenIds, responses: [response] })).fits[0]!;
      const fit = together.fits[r]!;
      for (let i = 0; i < 20; i++) expect(fit.slopes[i]).toBeCloseTo(alone.slopes[i]!, 12);
      for (const name of ["intercept", "r2", "adjustedR2", "crossValidatedR2", "spearman"] as const) {
        expect(fit[name]).toBeCloseTo(alone[name], 12);
      }
    }
  });

  it("holds out whole folds: a token that stands alone in its direction is predicted without it", async () => {
    const data = new Float32Array(40);
    data[5] = 1;
    const response = Float64Array.from({ length: 40 }, (_, w) => (w === 5 ? 9 : (w % 2) + 1));
    const { fits } = await regress({ embedding: matrix(40, 1, data), tokenIds: everyToken(40), responses: [response] });
    expect(fits[0]!.r2).toBeGreaterThan(0.8);
    expect(fits[0]!.crossValidatedR2).toBeLessThan(0);
  });
});

describe("what cannot be regressed", () => {
  const embedding = randomEmbedding(30, 4, 9);
  const meanProbability = new Float64Array(30).map((_, w) => (w + 1) / 465);
  const tokenIds = everyToken(30);

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("an alpha of %d", async (alpha) => {
    const bad = meanProbability.slice();
    bad[17] = alpha;
    const refused = fitEncoding({ embedding, tokenIds, meanProbability: bad });
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toThrow("token 17");
    // A row left out may have any.
    await fitEncoding({ embedding, tokenIds: tokenIds.filter((id) => id !== 17), meanProbability: bad });
  });

  it("the smallest number that there is has a logarithm", async () => {
    const small = meanProbability.slice();
    small[3] = 5e-324;
    expect((await fitEncoding({ embedding, tokenIds, meanProbability: small })).observed[3]).toBeCloseTo(744.44, 2);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])("an E with %d in it", async (value) => {
    const data = embedding.data.slice();
    data[12 * 4 + 3] = value;
    const refused = fitEncoding({ embedding: matrix(30, 4, data), tokenIds, meanProbability });
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toThrow("row 12 (token id), column 3");
  });

  it("too few tokens", async () => {
    const few = fitEncoding({ embedding, tokenIds: tokenIds.subarray(0, 5), meanProbability });
    await expect(few).rejects.toThrow("5 tokens are too few for a regression on d = 4 dimensions");
    await fitEncoding({ embedding, tokenIds: tokenIds.subarray(0, 6), meanProbability });
  });

  it("nothing that varies", async () => {
    const same = fitEncoding({ embedding, tokenIds, meanProbability: new Float64Array(30).fill(1 / 30) });
    await expect(same).rejects.toThrow("the same for all tokens");
    const flat = fitEncoding({ embedding: matrix(30, 4, new Float32Array(120).fill(0.3)), tokenIds, meanProbability });
    await expect(flat).rejects.toThrow("all rows are the same");
  });

  it("tokens that are all in one fold, or not in E", async () => {
    const oneFold = fitEncoding({
      embedding: randomEmbedding(300, 4, 2),
      tokenIds: everyToken(30).map((id) => 10 * id),
      meanProbability: new Float64Array(300).map((_, w) => w + 1),
    });
    await expect(oneFold).rejects.toThrow("all are in one fold");
    const outside = fitEncoding({ embedding, tokenIds: tokenIds.map((id) => id + 1), meanProbability });
    await expect(outside).rejects.toThrow(InputError);
  });
});
