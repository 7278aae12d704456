import { InputError } from "../../errors.js";

/** The arguments of a pickle's opcodes, one after the other. */
export interface PickleBytes {
  /** An opcode; errors name its byte from here on. */
  opcode(): number;
  /** The error of what cannot be read, naming the byte of the opcode. */
  refuse(problem: string): InputError;
  /** Bytes that are left to read. */
  readonly left: number;
  uint8(): number;
  uint16(): number;
  uint32(): number;
  int32(): number;
  float64(): number;
  /** A length. @throws InputError beyond 2^53 */
  uint64(): number;
  /** A whole number of so many bytes, little-endian with a sign. @throws InputError beyond 2^53 */
  long(length: number): number;
  /** So many bytes of UTF-8. */
  text(length: number): string;
  /** UTF-8 up to the next line break. */
  line(): string;
}

/** Reads from the first byte on. @param place file, and record in it, for messages */
export function pickleBytes(place: string, bytes: Uint8Array): PickleBytes {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let opcodeAt = 0;

  function refuse(problem: string): InputError {
    return new InputError(place, `pickle byte ${opcodeAt}: ${problem}`);
  }

  function take(length: number): number {
    if (length > bytes.length - at) throw refuse("the pickle ends in the middle of it: cut off");
    at += length;
    return at - length;
  }

  const reader: PickleBytes = {
    get left() {
      return bytes.length - at;
    },
    refuse,
    opcode() {
      opcodeAt = at;
      return bytes[take(1)]!;
    },
    uint8: () => bytes[take(1)]!,
    uint16: () => data.getUint16(take(2), true),
    uint32: () => data.getUint32(take(4), true),
    int32: () => data.getInt32(take(4), true),
    float64: () => data.getFloat64(take(8), false),
    text(length: number): string {
      const from = take(length);
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(from, at));
      } catch {
        throw refuse("text is not valid UTF-8");
      }
    },
    line(): string {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) throw refuse("the pickle ends in the middle of it: cut off");
      const value = reader.text(end - at);
      at++;
      return value;
    },
    uint64(): number {
      const value = Number(data.getBigUint64(take(8), true));
      if (!Number.isSafeInteger(value)) throw refuse("a length is beyond counting");
      return value;
    },
    long(length: number): number {
      if (length > 8) throw refuse(`a whole number of ${length} bytes`);
      const from = take(length);
      let value = 0n;
      for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
      const number = Number(BigInt.asIntN(8 * length, value));
      if (!Number.isSafeInteger(number)) throw refuse("a whole number is beyond 2^53");
      return number;
    },
  };
  return reader;
}
