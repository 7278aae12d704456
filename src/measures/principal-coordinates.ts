import { leadingEigen } from "../linalg/eigen/leading-eigen.js";
import { symmetricEigenvalues } from "../linalg/eigen/symmetric-eigen.js";
import { type Gram, gram as gramInJavaScript } from "../linalg/gram.js";
import type { Matrix } from "../tensor/matrix.js";

/**
 * Coordinates of the centred rows along the first principal components: as few as hold the asked share of the variance
 * (rows without any variance have one, all 0). Works on the smaller of the two Gram matrices.
 * @param rows [n, d]  @param share of the variance, in (0, 1]  @returns [n, components]
 */
export async function principalCoordinates(
  { rows, columns, data }: Matrix<Float64Array>,
  share: number,
  gram: Gram = gramInJavaScript,
): Promise<Matrix<Float64Array>> {
  const centred = centre(data, rows, columns);
  const transposed = transpose(centred, rows, columns);
  const byColumns = columns <= rows;
  const order = byColumns ? columns : rows;
  const products = byColumns ? await gram(centred, rows, columns) : await gram(transposed, columns, rows);
  const count = leadingCount(symmetricEigenvalues(products, order), share);
  const { values, vectors } = leadingEigen(products, order, count, new Float64Array(order));
  const coordinates = new Float64Array(rows * count);
  for (let c = 0; c < count; c++) {
    const direction = vectors.subarray(c * order, (c + 1) * order);
    const deviation = Math.sqrt(Math.max(0, values[c]!));
    for (let i = 0; i < rows; i++) {
      coordinates[i * count + c] = byColumns ? along(direction, centred, i * columns) : direction[i]! * deviation;
    }
  }
  return { rows, columns: count, data: coordinates };
}

/** How many of the falling variances hold the share of their sum. */
function leadingCount(variances: Float64Array, share: number): number {
  const total = variances.reduce((sum, value) => sum + Math.max(0, value), 0);
  let held = 0;
  for (let c = 0; c < variances.length; c++) {
    held += Math.max(0, variances[c]!);
    if (held >= share * total) return c + 1;
  }
  return variances.length;
}

function centre(data: Float64Array, rows: number, columns: number): Float64Array {
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) means[j]! += data[i * columns + j]! / rows;
  return data.map((value, index) => value - means[index % columns]!);
}

function transpose(data: Float64Array, rows: number, columns: number): Float64Array {
  const transposed = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) transposed[j * rows + i] = data[i * columns + j]!;
  return transposed;
}

function along(direction: Float64Array, data: Float64Array, start: number): number {
  let sum = 0;
  for (let j = 0; j < direction.length; j++) sum += direction[j]! * data[start + j]!;
  return sum;
}
