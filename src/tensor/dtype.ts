/**
 * Number types as safetensors names them, with their bytes per element, in increasing order of alignment: the order by
 * which the reference implementation lays tensors out. F8 and C64 are known by size only.
 */
export const bytesPerElement = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type DType = keyof typeof bytesPerElement;
export type FloatDType = "F16" | "BF16" | "F32" | "F64";
export type IntegerDType = "BOOL" | "U8" | "I8" | "I16" | "U16" | "I32" | "U32" | "I64" | "U64";

export const dtypes = Object.keys(bytesPerElement) as DType[];

export function isDType(text: string): text is DType {
  return Object.hasOwn(bytesPerElement, text);
}

export function isFloatDType(dtype: DType): dtype is FloatDType {
  return dtype === "F16" || dtype === "BF16" || dtype === "F32" || dtype === "F64";
}

export function isIntegerDType(dtype: DType): dtype is IntegerDType {
  return !isFloatDType(dtype) && !dtype.startsWith("F8") && dtype !== "C64";
}

/**
 * Numbers from little-endian bytes at any alignment. F64 is rounded to the nearest float32, everything else is exact
 * (NaN payloads too).
 */
export function decodeFloat32(dtype: FloatDType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(Math.floor(bytes.byteLength / bytesPerElement[dtype]));
  decodeFloat32Into(numbers, 0, dtype, bytes);
  return numbers;
}

/** The same into an array that is there already, from `start` on. */
export function decodeFloat32Into(numbers: Float32Array, start: number, dtype: FloatDType, bytes: Uint8Array): void {
  switch (dtype) {
    case "F32":
      numbers.set(view(Float32Array, bytes), start);
      return;
    case "F64":
      numbers.set(view(Float64Array, bytes), start);
      return;
    case "F16":
    case "BF16": {
      const halves = view(Uint16Array, bytes);
      // Bits, not numbers: a signalling NaN read as a number may come out as another NaN.
      const bits = new Uint32Array(numbers.buffer, numbers.byteOffset + 4 * start, halves.length);
      if (dtype === "BF16") for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
      else {
        const table = halfTable();
        for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!;
      }
    }
  }
}

/** Exact numbers from little-endian bytes at any alignment. */
export function decodeFloat64(dtype: FloatDType, bytes: Uint8Array): Float64Array<ArrayBuffer> {
  if (dtype === "F64") return view(Float64Array, bytes).slice();
  return Float64Array.from(decodeFloat32(dtype, bytes));
}

/**
 * Exact whole numbers from little-endian bytes at any alignment; BOOL as 0 and 1.
 * @throws RangeError if a 64-bit number is beyond 2^53, where doubles are no longer exact
 */
export function decodeIntegers(dtype: IntegerDType, bytes: Uint8Array): Float64Array<ArrayBuffer> {
  switch (dtype) {
    case "BOOL":
      return Float64Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
    case "U8":
      return Float64Array.from(bytes);
    case "I8":
      return Float64Array.from(view(Int8Array, bytes));
    case "U16":
      return Float64Array.from(view(Uint16Array, bytes));
    case "I16":
      return Float64Array.from(view(Int16Array, bytes));
    case "U32":
      return Float64Array.from(view(Uint32Array, bytes));
    case "I32":
      return Float64Array.from(view(Int32Array, bytes));
    case "U64":
      return exactNumbers(view(BigUint64Array, bytes));
    case "I64":
      return exactNumbers(view(BigInt64Array, bytes));
  }
}

/** IEEE 754 binary16 bit patterns of the values, rounded to nearest, ties to even; NaN stays a (quiet) NaN. */
export function encodeFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfBits(bits[i]!);
  return halves;
}

/** bfloat16 bit patterns of the values, rounded to nearest, ties to even; NaN stays a (quiet) NaN. */
export function encodeBFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) {
    const x = bits[i]!;
    const notANumber = (x & 0x7fffffff) > 0x7f800000;
    halves[i] = notANumber ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/**
 * The values as little-endian bytes of a floating-point type. To F16 and BF16, a float64 goes by way of the nearest
 * float32.
 */
export function encodeFloats(dtype: FloatDType, values: Float32Array | Float64Array): Uint8Array<ArrayBuffer> {
  if (dtype === "F64") return new Uint8Array(Float64Array.from(values).buffer);
  const singles = values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === "F32") return new Uint8Array(singles.slice().buffer);
  return new Uint8Array((dtype === "F16" ? encodeFloat16(singles) : encodeBFloat16(singles)).buffer);
}

type ViewConstructor<View> = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): View;
};

/**
 * A typed view of the bytes; they are copied first where they do not lie at a multiple of the element's size.
 * Little-endian, as every platform that runs the engine is. Left-over bytes are not viewed.
 */
export function view<View>(type: ViewConstructor<View>, bytes: Uint8Array): View {
  const width = type.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new type(aligned.buffer, aligned.byteOffset, Math.floor(bytes.byteLength / width));
}

function exactNumbers(values: BigInt64Array | BigUint64Array): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = Number(values[i]!);
    if (!Number.isSafeInteger(number)) throw new RangeError(`element ${i} is ${values[i]}, beyond 2^53`);
    numbers[i] = number;
  }
  return numbers;
}

let cachedHalfTable: Uint32Array | undefined;

/** float32 bit pattern of every float16 bit pattern. */
function halfTable(): Uint32Array {
  if (cachedHalfTable !== undefined) return cachedHalfTable;
  const table = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    table[half] = sign | (exponent === 0 ? float32Bits(fraction * 2 ** -24) : widen(exponent, fraction));
  }
  cachedHalfTable = table;
  return table;
}

function widen(exponent: number, fraction: number): number {
  return ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
}

function float32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function halfBits(x: number): number {
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // From half-way between 65504, the largest float16, and 65536.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | subnormalHalf(magnitude);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function subnormalHalf(magnitude: number): number {
  scratchBits[0] = magnitude;
  // Adding 2^52 makes the sum's last place 1, so that it rounds to a whole number, ties to even.
  return scratch[0]! * 2 ** 24 + 2 ** 52 - 2 ** 52;
}
