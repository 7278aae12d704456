import type { FileHandle } from "node:fs/promises";
import { InputError } from "../../errors.js";
import type { RowStore } from "../../model/pass/row-store.js";
import type { StateType } from "../../model/pass/state-place.js";
import { bytesPerElement, decodeFloat32, encodeFloat16 } from "../../tensor/dtype.js";
import { fileError } from "./file-source.js";

/** How rows lie in a file. */
export interface FileRows {
  /** For messages. */
  readonly place: string;
  readonly type: StateType;
  /** Where the first number lies. Default 0. */
  readonly start?: number;
}

const dtypes = { float32: "F32", float16: "F16" } as const;

/** Rows in an open file, which stays the caller's to close. @throws InputError if the disk is full, or float16 too narrow */
export function fileRows(file: FileHandle, { place, type, start = 0 }: FileRows): Pick<RowStore, "append" | "read"> {
  const dtype = dtypes[type];
  const width = bytesPerElement[dtype];
  let end = start;
  return {
    async append(rows) {
      const numbers = type === "float32" ? rows : asFloat16(rows, place);
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, end + done).catch((error) => {
          throw fileError(place, error);
        });
        done += bytesWritten;
      }
      end += bytes.length;
    },
    async read(begin, until) {
      const bytes = new Uint8Array((until - begin) * width);
      const at = start + begin * width;
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
        if (bytesRead === 0) throw new InputError(place, `the file of hidden states ends at byte ${at + done}`);
        done += bytesRead;
      }
      return type === "float32" ? new Float32Array(bytes.buffer) : decodeFloat32(dtype, bytes);
    },
  };
}

function asFloat16(rows: Float32Array, place: string): Uint16Array {
  const halves = encodeFloat16(rows);
  const infinite = halves.findIndex((bits) => (bits & 0x7c00) === 0x7c00);
  if (infinite < 0) return halves;
  const value = rows[infinite]!.toExponential(2);
  throw new InputError(place, `a hidden state between layers is ${value}, beyond float16: take --hidden-dtype float32`);
}
