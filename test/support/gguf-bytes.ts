import { readFileSync } from "node:fs";

/** A metadata value: kind by its name in the format, items of a list of one kind. */
export type TestValue =
  | { kind: "uint8" | "uint16" | "uint32" | "int32" | "float32" | "bool"; value: number }
  | { kind: "uint64"; value: bigint }
  | { kind: "string"; value: string }
  | { kind: "array"; of: "int32" | "float32" | "string" | "array"; items: (number | string)[]; length?: bigint };

/** A tensor as the header describes it, sizes in the file's own order. */
export interface TestTensor {
  name: string;
  sizes: (number | bigint)[];
  type?: number;
  offset: number | bigint;
}

export interface TestFile {
  magic?: string;
  version?: number;
  tensorCount?: bigint;
  keyCount?: bigint;
  metadata?: [key: string, value: TestValue][];
  tensors?: TestTensor[];
  /** Bytes of numbers, after the padding of the header. */
  data?: number;
}

const kinds = {
  ...{ uint8: 0, uint16: 2, uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9, uint64: 10 },
} as const;

/** A GGUF file with this header, right or wrong, and zeros for numbers. */
export function ggufBytes(file: TestFile): Uint8Array {
  const { magic = "GGUF", version = 3, metadata = [], tensors = [], data = 0 } = file;
  const parts: Buffer[] = [];
  const number = (width: 1 | 2 | 4 | 8, value: number | bigint) => {
    const bytes = Buffer.alloc(width);
    if (width === 8) bytes.writeBigUInt64LE(BigInt(value));
    else bytes.writeUIntLE(Number(value) >>> 0, 0, width);
    parts.push(bytes);
  };
  const float = (value: number) => parts.push(Buffer.from(Float32Array.of(value).buffer));
  const string = (text: string) => {
    const bytes = Buffer.from(text);
    number(8, bytes.length);
    parts.push(bytes);
  };
  const write = (value: TestValue) => {
    number(4, kinds[value.kind]);
    if (value.kind === "string") string(value.value);
    else if (value.kind === "float32") float(value.value);
    else if (value.kind === "array") {
      number(4, kinds[value.of]);
      number(8, value.length ?? value.items.length);
      for (const item of value.items) {
        if (typeof item === "string") string(item);
        else if (value.of === "float32") float(item);
        else number(4, item);
      }
    } else number(({ uint8: 1, bool: 1, uint16: 2, uint32: 4, int32: 4, uint64: 8 } as const)[value.kind], value.value);
  };
  parts.push(Buffer.from(magic));
  number(4, version);
  number(8, file.tensorCount ?? tensors.length);
  number(8, file.keyCount ?? metadata.length);
  for (const [key, value] of metadata) {
    string(key);
    write(value);
  }
  for (const { name, sizes, type = 0, offset } of tensors) {
    string(name);
    number(4, sizes.length);
    for (const size of sizes) number(8, size);
    number(4, type);
    number(8, offset);
  }
  const header = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), Buffer.alloc(data)]));
}

/** A file of the goldens. */
export function ggufGolden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`test/goldens/gguf/${name}`));
}
