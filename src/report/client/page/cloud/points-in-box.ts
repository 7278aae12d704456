/** Side of a counting cell in pixels. */
const CELL = 4;

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * Counts points in boxes, to the nearest cells, from sums over all cells above and to the left, made once.
 * @param x, y positions in pixels, [n]; points outside [0, width) x [0, height) don't count
 */
export function pointsInBox(x: Float32Array, y: Float32Array, width: number, height: number): (box: Box) => number {
  const columns = Math.max(1, Math.ceil(width / CELL));
  const rows = Math.max(1, Math.ceil(height / CELL));
  const wide = columns + 1;
  // sums[r * wide + c]: points in rows before r and columns before c.
  const sums = new Uint32Array((rows + 1) * wide);
  for (let i = 0; i < x.length; i++) {
    if (!(x[i]! >= 0 && x[i]! < width && y[i]! >= 0 && y[i]! < height)) continue;
    sums[(Math.floor(y[i]! / CELL) + 1) * wide + Math.floor(x[i]! / CELL) + 1]! += 1;
  }
  for (let row = 1; row <= rows; row++) {
    for (let column = 1; column <= columns; column++) {
      const at = row * wide + column;
      sums[at] = sums[at]! + sums[at - 1]! + sums[at - wide]! - sums[at - wide - 1]!;
    }
  }
  const clamp = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return ({ left, top, right, bottom }) => {
    const [from, to] = [clamp(Math.floor(left / CELL), columns), clamp(Math.ceil(right / CELL), columns)];
    const [above, below] = [clamp(Math.floor(top / CELL), rows), clamp(Math.ceil(bottom / CELL), rows)];
    const sum = (row: number, column: number) => sums[row * wide + column]!;
    return sum(below, to) - sum(above, to) - sum(below, from) + sum(above, from);
  };
}
