import { ThriftError } from "./thrift.js";

/** The texts of a dictionary page, where they lie in it: an object each would take tens of times the page. */
export interface Dictionary {
  readonly page: Uint8Array;
  /** Where each text begins, behind its length, and one more for the end. */
  readonly starts: Uint32Array;
}

/** @param count how many texts the page's header says it has @throws ThriftError if it has another number of them */
export function readDictionary(page: Uint8Array, count: number): Dictionary {
  // Each has a length of four bytes at least.
  if (count > page.length / 4) throw new ThriftError(`a dictionary of ${page.length} bytes cannot have ${count} texts`);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const starts = new Uint32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (page.length - at < 4) throw new ThriftError("a dictionary ends inside a length", true);
    const length = view.getUint32(at, true);
    if (length > page.length - at - 4) throw new ThriftError("a dictionary ends inside a text", true);
    starts[i] = at + 4;
    at += 4 + length;
  }
  if (at !== page.length) throw new ThriftError(`a dictionary has more than the ${count} texts that it says`);
  starts[count] = at + 4;
  return { page, starts };
}

/** @throws ThriftError if there is no such text */
export function dictionaryText({ page, starts }: Dictionary, index: number): Uint8Array {
  const [start, next] = [starts[index], starts[index + 1]];
  if (start === undefined || next === undefined) {
    throw new ThriftError(`a page refers to entry ${index} of a dictionary of ${starts.length - 1}`);
  }
  return page.subarray(start, next - 4);
}
