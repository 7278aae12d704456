/** Side of a counting cell in pixels: about the size of a drawn point. */
const CELL = 3;

/**
 * How crowded each point's surroundings are, on a logarithmic scale from 0 (alone) to 1 (the most crowded), [n]:
 * counts on a grid of cells, smoothed by a 5 x 5 binomial kernel.
 * @param x, y positions in pixels; points outside [0, width) x [0, height) get 0
 */
export function crowding(x: Float32Array, y: Float32Array, width: number, height: number): Float32Array {
  const columns = Math.max(1, Math.ceil(width / CELL));
  const rows = Math.max(1, Math.ceil(height / CELL));
  const cellOf = (i: number) => {
    const column = Math.floor(x[i]! / CELL);
    const row = Math.floor(y[i]! / CELL);
    return column >= 0 && column < columns && row >= 0 && row < rows ? row * columns + column : -1;
  };
  const counts = new Float32Array(columns * rows);
  for (let i = 0; i < x.length; i++) {
    const cell = cellOf(i);
    if (cell >= 0) counts[cell]! += 1;
  }
  const smooth = smoothed(smoothed(counts, columns, 1), rows, columns);
  let greatest = 0;
  for (const value of smooth) if (value > greatest) greatest = value;
  const toShare = 1 / Math.log1p(greatest || 1);
  return Float32Array.from(x, (_, i) => {
    const cell = cellOf(i);
    return cell < 0 ? 0 : Math.log1p(smooth[cell]!) * toShare;
  });
}

/** One pass of the kernel 1 4 6 4 1 along lines of `length` cells that are `step` apart. */
function smoothed(cells: Float32Array, length: number, step: number): Float32Array {
  const at = (cell: number, place: number, offset: number) =>
    place + offset >= 0 && place + offset < length ? cells[cell + offset * step]! : 0;
  return cells.map((value, cell) => {
    const place = Math.floor(cell / step) % length;
    const near = at(cell, place, -1) + at(cell, place, 1);
    const far = at(cell, place, -2) + at(cell, place, 2);
    return (6 * value + 4 * near + far) / 16;
  });
}
