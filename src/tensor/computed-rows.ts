import { type ByteSource, checkRange } from "./byte-source.js";

/** Bytes that are made when they are asked for: an engine that wants them more than once is better off keeping them. */
export interface ComputedSource extends ByteSource {
  readonly computed: true;
}

export function isComputed(source: ByteSource): source is ComputedSource {
  return "computed" in source;
}

/** Rows of one size that are made from something else when they are read. */
export interface RowMaker {
  readonly name: string;
  readonly rows: number;
  readonly rowBytes: number;
  /** Bytes of rows [start, end), one after the other. */
  readonly make: (start: number, end: number) => Promise<Uint8Array>;
}

/** Rows as bytes one after the other, of which any range can be read. */
export function computedRows({ name, rows, rowBytes, make }: RowMaker): ComputedSource {
  const source: ComputedSource = {
    computed: true,
    name,
    size: rows * rowBytes,
    async read(offset, length, into) {
      checkRange(source, offset, length);
      const first = Math.floor(offset / rowBytes);
      const made = length === 0 ? new Uint8Array() : await make(first, Math.ceil((offset + length) / rowBytes));
      const wanted = made.subarray(offset - first * rowBytes, offset - first * rowBytes + length);
      if (into === undefined) return wanted;
      into.set(wanted);
      return into.subarray(0, length);
    },
  };
  return source;
}
