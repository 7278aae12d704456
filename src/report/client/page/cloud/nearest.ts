/** Side of a search cell in pixels. */
const CELL = 16;

/**
 * Finds the point nearest to a position, among points sorted into square cells once.
 * @param x, y positions in pixels, [n]; points outside [0, width) x [0, height) are never found
 * @returns a function of position and greatest distance, giving the point's index or undefined
 */
export function nearestPoint(
  x: Float32Array,
  y: Float32Array,
  width: number,
  height: number,
): (atX: number, atY: number, within: number) => number | undefined {
  const columns = Math.max(1, Math.ceil(width / CELL));
  const rows = Math.max(1, Math.ceil(height / CELL));
  const inside = (i: number) => x[i]! >= 0 && x[i]! < width && y[i]! >= 0 && y[i]! < height;
  const cellOf = (i: number) => Math.floor(y[i]! / CELL) * columns + Math.floor(x[i]! / CELL);

  // Counting sort: the points of cell c are points[starts[c]] to points[starts[c + 1] - 1].
  const starts = new Uint32Array(columns * rows + 1);
  for (let i = 0; i < x.length; i++) if (inside(i)) starts[cellOf(i) + 1]! += 1;
  for (let cell = 0; cell < columns * rows; cell++) starts[cell + 1]! += starts[cell]!;
  const points = new Uint32Array(starts[columns * rows]!);
  const next = starts.slice();
  for (let i = 0; i < x.length; i++) if (inside(i)) points[next[cellOf(i)]!++] = i;

  return (atX, atY, within) => {
    let best: number | undefined;
    let least = within * within;
    const clamp = (cell: number, cells: number) => Math.max(0, Math.min(cells - 1, cell));
    const lastColumn = clamp(Math.floor((atX + within) / CELL), columns);
    const lastRow = clamp(Math.floor((atY + within) / CELL), rows);
    for (let row = clamp(Math.floor((atY - within) / CELL), rows); row <= lastRow; row++) {
      for (let column = clamp(Math.floor((atX - within) / CELL), columns); column <= lastColumn; column++) {
        const cell = row * columns + column;
        for (let at = starts[cell]!; at < starts[cell + 1]!; at++) {
          const i = points[at]!;
          const distance = (x[i]! - atX) ** 2 + (y[i]! - atY) ** 2;
          if (distance > least || (distance === least && best !== undefined)) continue;
          least = distance;
          best = i;
        }
      }
    }
    return best;
  };
}
