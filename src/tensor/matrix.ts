/** A dense row-major matrix. */
export interface Matrix<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly rows: number;
  readonly columns: number;
  /** Length rows * columns; element (i, j) at i * columns + j. */
  readonly data: Data;
}

/** @throws RangeError if the data does not have rows * columns numbers. */
export function matrix<Data extends Float32Array | Float64Array>(
  rows: number,
  columns: number,
  data: Data,
): Matrix<Data> {
  if (data.length !== rows * columns) {
    throw new RangeError(`a ${rows} x ${columns} matrix needs ${rows * columns} numbers, not ${data.length}`);
  }
  return { rows, columns, data };
}
