/** Colours as numbers, for tests of what can be read and told apart. Colours are "#rrggbb". */

type Triple = [number, number, number];

function linear(colour: string): Triple {
  const channel = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const luminance = ([red, green, blue]: Triple) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const [darker, lighter] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** A colour over another, where the upper one covers so much of it. */
export function blend(upper: string, lower: string, opacity: number): string {
  const channel = (at: number) => {
    const [over, under] = [upper, lower].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16));
    return Math.round(opacity * over! + (1 - opacity) * under!)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** Full colour vision, and none of one kind of cone (Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB). */
const visions: Record<string, Triple[]> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function product(rows: Triple[], [x, y, z]: Triple): Triple {
  return rows.map(([a, b, c]) => a * x + b * y + c * z) as Triple;
}

/** OKLab (Ottosson 2020) of a linear colour. */
function oklab(colour: Triple): Triple {
  const cones = product(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    colour,
  ).map(Math.cbrt) as Triple;
  return product(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

/** How far apart two colours are to each kind of vision: Euclidean in OKLab, where black and white are 1 apart. */
export function distances(a: string, b: string): Record<string, number> {
  const seen = (colour: string, rows: Triple[]) =>
    oklab(product(rows, linear(colour)).map((value) => Math.min(1, Math.max(0, value))) as Triple);
  return Object.fromEntries(
    Object.entries(visions).map(([name, rows]) => {
      const [one, other] = [seen(a, rows), seen(b, rows)];
      return [name, Math.hypot(...one.map((value, i) => value - other[i]!))];
    }),
  );
}
