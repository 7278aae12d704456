import { axisX, axisY, gridX, gridY, type Markish, plot } from "@observablehq/plot";
import { count, superscript } from "../../page/numbers.js";
import { type Figure, GRID } from "./figure.js";

export interface Axes {
  x: { label: string; domain: number[]; tickFormat?: (value: number) => string };
  y: { label: string; domain: number[]; tickFormat?: (value: number) => string };
  height: (width: number) => number;
}

/** A figure with two logarithmic axes. */
export function logarithmic({ x, y, height }: Axes, marks: (width: number) => Markish[]): Figure {
  const axis = { labelAnchor: "center", labelArrow: "none" } as const;
  const ticks = (domain: number[], room: number) => powersOf(domain, room);
  return (width) => {
    const h = height(width);
    const across = ticks(x.domain, width / 60);
    const up = ticks(y.domain, h / 45);
    return plot({
      width,
      height: h,
      marginLeft: 70,
      marginRight: 16,
      marginTop: 14,
      marginBottom: 44,
      x: { type: "log", domain: x.domain },
      y: { type: "log", domain: y.domain },
      clip: true,
      marks: [
        gridX(across, GRID),
        gridY(up, GRID),
        ...marks(width),
        axisX(across, { ...axis, text: x.tickFormat ?? plain, label: x.label, labelOffset: 38 }),
        axisY(up, { ...axis, text: y.tickFormat ?? plain, label: y.label, labelOffset: 64 }),
      ],
    });
  };
}

/** Powers of ten inside a domain, with 2 and 5 times them where there is room, and only each second or third where not. */
export function powersOf([low = 1, high = 10]: number[], room: number): number[] {
  const powers: number[] = [];
  for (let exponent = Math.ceil(Math.log10(low) - 1e-9); exponent <= Math.log10(high) + 1e-9; exponent++)
    powers.push(exponent);
  const every = Math.max(1, Math.ceil(powers.length / room));
  const digits = powers.length * 3 <= room || powers.length < 2 ? [1, 2, 5] : [1];
  const first = Math.floor(Math.log10(low));
  const exponents = digits.length > 1 ? [first, ...powers.filter((exponent) => exponent > first)] : powers;
  return exponents
    .filter((exponent) => exponent % every === 0)
    .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

export function plain(value: number): string {
  if (value < 1e-3 || value >= 1e5) {
    const [digit, exponent] = value.toExponential(0).split("e");
    return `${digit === "1" ? "" : `${digit}·`}10${superscript(Number(exponent))}`;
  }
  return value >= 1000 ? count(value) : `${Number(value.toPrecision(3))}`;
}

/** A share of 1 as a percentage, as short as it can be. */
export function plainPercent(share: number): string {
  return share === 0 ? "0%" : `${plain(100 * share)}%`;
}

export function domainOf(values: readonly number[], least = 0): number[] {
  const known = values.filter((value) => value > least && Number.isFinite(value));
  if (known.length === 0) return [0.1, 10];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  // A point at an end is whole only with room in proportion to all decades.
  const room = Math.max(1.25, (high / low) ** 0.03);
  return low < high ? [low / room, high * room] : [low / 2, low * 2];
}
