/**
 * Symmetric eigendecompositions, with their residual and the float64 product rate of the engine on the same threads:
 *
 *     npx tsx bench/eigen.ts [--orders 256,1024,4096] [--threads 2] [--save FOLDER]
 *
 * `--save` writes matrix and eigenvalues of each order as raw float64, to be compared with LAPACK's.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { productSession } from "../src/engine/product-session.js";
import { symmetricEigenBy } from "../src/linalg/eigen/symmetric-eigen.js";
import { tridiagonalize } from "../src/linalg/eigen/tridiagonalize.js";
import type { MatrixProduct } from "../src/linalg/matrix-product.js";
import { transposed } from "../src/linalg/matrix-product.js";
import { seededRandom } from "../src/linalg/random.js";
import { createEngine } from "../src/node/engine/onnx-engine.js";

const { values: options } = parseArgs({
  options: {
    orders: { type: "string", default: "256,1024,4096" },
    threads: { type: "string", default: `${availableParallelism()}` },
    save: { type: "string" },
  },
});
const engine = createEngine({ threads: Number(options.threads) });
const { product } = await productSession(engine);
try {
  console.log("| order | tridiagonal, s | all, s | product, GFLOPS | residual | orthogonality |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const order of options.orders.split(",").map(Number)) await measure(order);
} finally {
  await engine.close();
}

async function measure(order: number): Promise<void> {
  const a = await gradedMatrix(order);
  const started = performance.now();
  tridiagonalize(a, order);
  const reduced = performance.now();
  const { values, vectors } = await symmetricEigenBy(product, a, order);
  const ended = performance.now();
  const columns = transposed(vectors, order, order);
  const productStart = performance.now();
  const identity = await product(vectors, columns, order, order, order);
  const gigaflops = (2 * order ** 3) / (performance.now() - productStart) / 1e6;
  for (let i = 0; i < order; i++) identity[i * order + i]! -= 1;
  const images = await product(vectors, a, order, order, order);
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < order; j++) images[i * order + j]! -= values[i]! * vectors[i * order + j]!;
  }
  const cells = [
    order,
    ((reduced - started) / 1000).toFixed(2),
    ((ended - reduced) / 1000).toFixed(2),
    gigaflops.toFixed(0),
    (largest(images) / Math.abs(values[0]!)).toExponential(1),
    largest(identity).toExponential(1),
  ];
  console.log(`| ${cells.join(" | ")} |`);
  if (options.save !== undefined) {
    await writeFile(join(options.save, `matrix-${order}.f64`), new Uint8Array(a.buffer));
    await writeFile(join(options.save, `values-${order}.f64`), new Uint8Array(values.slice().buffer));
  }
}

/** X'X of correlated columns whose scale falls: eigenvalues over many orders of magnitude, as covariances have. */
async function gradedMatrix(order: number): Promise<Float64Array> {
  const random = seededRandom(order);
  const x = new Float64Array(order * order);
  for (let i = 0; i < order; i++) {
    let kept = 0;
    for (let j = 0; j < order; j++) {
      kept = 0.7 * kept + random() - 0.5;
      x[i * order + j] = kept * 10 ** ((-4 * j) / order);
    }
  }
  return gramOf(product, x, order);
}

async function gramOf(multiply: MatrixProduct, x: Float64Array, order: number): Promise<Float64Array> {
  return multiply(transposed(x, order, order), x, order, order, order);
}

function largest(numbers: Float64Array): number {
  let most = 0;
  for (const number of numbers) most = Math.max(most, Math.abs(number));
  return most;
}
