/** Ticks around 1 at round numbers: at even distances while these are small, at even factors beyond. */
export function ratioTicks(reach: number, width: number): number[] {
  const each = Math.max(1, Math.floor(width / 200));
  const distance = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find(
    (size) => (reach - 1) / size <= each + 1,
  );
  if (distance !== undefined) {
    const steps = Array.from({ length: each + 1 }, (_, k) => (k + 1) * distance);
    return [1, ...steps.flatMap((step) => [1 - step, 1 + step])].filter((tick) => tick > 1 / reach && tick < reach);
  }
  const factor = [1.25, 1.5, 2, 5, 10, 100, 1000].find((size) => Math.log(reach) / Math.log(size) <= each + 1) ?? reach;
  const ticks = [1];
  for (let value = factor; value < reach; value *= factor) ticks.push(value, 1 / value);
  return ticks;
}
