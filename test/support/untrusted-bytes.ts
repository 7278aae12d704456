import fc from "fast-check";
import { InputError } from "../../src/errors.js";
import { type ByteSource, bytesSource } from "../../src/tensor/byte-source.js";

/** A change to some bytes, as a broken disk or a bad intent would make it. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

const interestingBytes = [0, 1, 2, 0x7f, 0x80, 0xff, ...new TextEncoder().encode('"{}[],:-.e0(')];

/** One to four changes at [0, reach) of the bytes: set, insert, remove, repeat or cut off. */
export function mutations(reach: number): fc.Arbitrary<Mutation> {
  const at = fc.nat(reach - 1);
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(...interestingBytes));
  const values = fc.array(byte, { minLength: 1, maxLength: 8 });
  const change = fc.oneof(
    fc
      .tuple(at, values)
      .map(([i, set]) => splice((bytes) => [bytes.subarray(0, i), set, bytes.subarray(i + set.length)])),
    fc.tuple(at, values).map(([i, insert]) => splice((bytes) => [bytes.subarray(0, i), insert, bytes.subarray(i)])),
    fc
      .tuple(at, fc.integer({ min: 1, max: 64 }))
      .map(([i, removed]) => splice((bytes) => [bytes.subarray(0, i), bytes.subarray(i + removed)])),
    fc
      .tuple(at, fc.integer({ min: 1, max: 200 }))
      .map(([i, repeated]) => splice((bytes) => [bytes.subarray(0, i + repeated), bytes.subarray(i)])),
    at.map(
      (length): Mutation =>
        (bytes) =>
          bytes.subarray(0, length),
    ),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => (bytes) => changes.reduce((changed, mutation) => mutation(changed), bytes));
}

function splice(cut: (bytes: Uint8Array) => ArrayLike<number>[]): Mutation {
  return (original) => {
    const parts = cut(original);
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return bytes;
  };
}

/**
 * Reads untrusted bytes: it must succeed, or throw an InputError of one line that names the file; and it must never ask
 * for bytes outside the file, nor read more of it in all than `passes` times its size.
 * @returns whether it succeeded
 */
export async function readUntrusted(
  bytes: Uint8Array,
  read: (source: ByteSource) => Promise<unknown>,
  passes = 1,
): Promise<boolean> {
  const inside = bytesSource("untrusted", bytes);
  let total = 0;
  const source: ByteSource = {
    ...inside,
    read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new Error(`asked for [${offset}, +${length}] of ${bytes.length} bytes`);
      }
      total += length;
      return inside.read(offset, length);
    },
  };
  const succeeded = await succeeds(read, source);
  if (total > passes * bytes.length) throw new Error(`read ${total} bytes of a file of ${bytes.length}`);
  return succeeded;
}

async function succeeds(read: (source: ByteSource) => Promise<unknown>, source: ByteSource): Promise<boolean> {
  try {
    await read(source);
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!/^untrusted: [^\n]{1,500}$/.test(error.message)) throw new Error(`not one clear line: ${error.message}`);
    return false;
  }
}
