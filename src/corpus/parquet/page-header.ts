import { expect, readBoolean, readNumber, readStruct, ThriftError, type ThriftReader, ThriftType } from "./thrift.js";

/** Header of one page of a column chunk; sizes and counts in it are not negative. */
export interface PageHeader {
  kind: "data" | "dataV2" | "dictionary" | "other";
  uncompressedSize: number;
  compressedSize: number;
  /** CRC-32 of the page's bytes as they lie in the file, where the writer put one. */
  checksum?: number;
  /** Values in the page, absent ones included. */
  valueCount: number;
  encoding: number;
  /** Of version 2: bytes of the levels, which lie uncompressed before the values. */
  definitionBytes: number;
  repetitionBytes: number;
  /** Whether the values of a page of version 2 are compressed. */
  isCompressed: boolean;
}

const kinds = ["data", "other", "dictionary", "dataV2"] as const;

export function readPageHeader(reader: ThriftReader): PageHeader {
  const header: PageHeader = {
    kind: "other",
    uncompressedSize: -1,
    compressedSize: -1,
    valueCount: 0,
    encoding: 0,
    definitionBytes: 0,
    repetitionBytes: 0,
    isCompressed: true,
  };
  const size = (type: number): number => {
    const value = readNumber(reader, type);
    if (value < 0) throw new ThriftError(`a page header has a size of ${value}`);
    return value;
  };
  const valueCount = (type: number): void => {
    header.valueCount = size(type);
  };
  const encoding = (type: number): void => {
    header.encoding = size(type);
  };
  const inside = (handlers: Record<number, (type: number) => void>) => (type: number) => {
    expect(type, ThriftType.struct);
    readStruct(reader, handlers);
  };
  readStruct(reader, {
    1: (type) => {
      header.kind = kinds[readNumber(reader, type)] ?? "other";
    },
    2: (type) => {
      header.uncompressedSize = size(type);
    },
    3: (type) => {
      header.compressedSize = size(type);
    },
    4: (type) => {
      header.checksum = readNumber(reader, type) >>> 0;
    },
    5: inside({ 1: valueCount, 2: encoding }),
    7: inside({ 1: valueCount, 2: encoding }),
    8: inside({
      1: valueCount,
      4: encoding,
      5: (type) => {
        header.definitionBytes = size(type);
      },
      6: (type) => {
        header.repetitionBytes = size(type);
      },
      7: (type) => {
        header.isCompressed = readBoolean(type);
      },
    }),
  });
  if (header.compressedSize < 0 || header.uncompressedSize < 0) throw new ThriftError("a page header has no sizes");
  return header;
}
