/** Numbers as base64 of their little-endian bytes (every platform that runs browsers or Node is little-endian). */

/** `String.fromCharCode` takes its characters as arguments, whose number engines bound. */
const CHUNK = 8192;

export function packFloat32(values: ArrayLike<number>): string {
  return toBase64(Float32Array.from(values));
}

export function unpackFloat32(packed: string): Float32Array {
  return new Float32Array(fromBase64(packed));
}

export function packInt32(values: ArrayLike<number>): string {
  return toBase64(Int32Array.from(values));
}

export function unpackInt32(packed: string): Int32Array {
  return new Int32Array(fromBase64(packed));
}

/** Numbers rounded to one of 65,536 levels between their least and greatest. */
export interface Quantised {
  low: number;
  high: number;
  levels: string;
}

/** Error at most (greatest - least) / 131,070; what is not finite becomes the least. */
export function quantise(values: ArrayLike<number>): Quantised {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) low = high = 0;
  const toLevel = high > low ? 65535 / (high - low) : 0;
  const levels = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) levels[i] = Math.round((values[i]! - low) * toLevel);
  return { low, high, levels: toBase64(levels) };
}

export function unquantise({ low, high, levels }: Quantised): Float32Array {
  return Float32Array.from(new Uint16Array(fromBase64(levels)), (level) => low + ((high - low) * level) / 65535);
}

function toBase64(values: Float32Array | Int32Array | Uint16Array): string {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let binary = "";
  for (let at = 0; at < data.length; at += CHUNK) {
    binary += String.fromCharCode(...data.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

function fromBase64(packed: string): ArrayBuffer {
  const binary = atob(packed);
  const data = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) data[i] = binary.charCodeAt(i);
  return data.buffer;
}
