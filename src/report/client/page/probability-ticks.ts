import { decimal, superscript } from "../../page/numbers.js";

/** -log of the powers of ten that lie in the domain and are probabilities. */
export function probabilityTicks([low, high]: [number, number]): number[] {
  const ticks: number[] = [];
  for (let value = 0; value <= high; value += Math.LN10) if (value >= low) ticks.push(value);
  return ticks;
}

/** Every tick, or every second or third, so that labels keep apart. */
export function spaced(ticks: number[], width: number): number[] {
  const every = Math.ceil((ticks.length * 52) / Math.max(1, width - 60));
  return ticks.filter((_, i) => i % every === 0);
}

/** A power of ten as a percentage, or as a power where that has too many zeros. */
export function probabilityLabel(negativeLog: number): string {
  const exponent = -Math.round(negativeLog / Math.LN10);
  return exponent >= -4
    ? `${decimal(100 * 10 ** exponent, Math.max(0, -2 - exponent))}%`
    : `10${superscript(exponent)}`;
}
