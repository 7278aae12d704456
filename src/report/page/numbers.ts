/** Numbers as the report's text, tables and figures show them. What is not finite shows as an en dash. */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** From here on decimals say nothing. */
const largest = 1e7;
/** Below this a number is one digit with a power of ten. */
const smallest = 1e-3;

/** @param digits after the point; of very large numbers a power of ten */
export function decimal(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= largest) return powerOfTen(value);
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Whole numbers with thousands separators. */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "–";
}

/** A number of things, in words: 1 context, 2,000 contexts. @param many where it is not the one with an s */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Three significant digits, with a power of ten where it is shorter. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < smallest) return powerOfTen(value);
  return size >= 1000 ? count(value).replace("-", "−") : value.toPrecision(3).replace("-", "−");
}

/** Significant digits in plain characters, for the terminal: 0.5, 0.0123, 7.74e-6 and 6.46e+13. @param digits of them */
export function plain(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < smallest || size >= largest) return value.toExponential(digits - 1);
  return `${Number(value.toPrecision(digits))}`;
}

/** Digits after the point in plain characters, for the terminal; of very large numbers as `plain`. */
export function plainDecimal(value: number, digits: number): string {
  return Math.abs(value) < largest ? value.toFixed(digits) : plain(value);
}

/** A share of 1 as a percentage with three significant digits at most. */
export function percent(share: number, digits?: number): string {
  const value = 100 * share;
  if (digits !== undefined) return `${decimal(value, digits)}%`;
  const size = Math.abs(value);
  return `${decimal(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3)}%`;
}

/** A probability: a percentage where that has digits to show, else a power of ten. */
export function probability(value: number): string {
  if (value === 0) return "0";
  return value >= 1e-4 ? percent(value) : powerOfTen(value);
}

/** A ratio as a number of times, at least 1, with the word for its direction. */
export function times(ratio: number, above: string, below: string): string {
  if (!(ratio > 0) || !Number.isFinite(ratio)) return "–";
  const size = ratio >= 1 ? ratio : 1 / ratio;
  if (size < 1.005) return "equal";
  return `${size < 1.095 ? decimal(size, 2) : size < 9.95 ? decimal(size, 1) : significantCount(size)}× ${ratio >= 1 ? above : below}`;
}

/** 10⁻⁵, for powers of ten on an axis. */
export function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const unit = Math.min(Math.floor(Math.log10(size) / 3), 4);
  return `${(size / 1000 ** unit).toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 120) return `${seconds < 10 ? decimal(seconds, 1) : count(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function powerOfTen(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${mantissa!.replace("-", "−")} × 10${superscript(Number(exponent))}`;
}

function significantCount(size: number): string {
  return size < 1e6 ? count(size) : powerOfTen(size);
}
