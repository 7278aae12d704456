import { boundBlocks, type ReducedHead } from "./reduced-head.js";

/** A preview of some of the tokens. @param ids of the rows, in their new order */
export function previewRows(preview: ReducedHead, ids: ArrayLike<number>): ReducedHead {
  const { kept, factor, bias, rescore, bound } = preview;
  return {
    ...preview,
    factor: rowsOf(factor, kept, ids),
    bias: rowsOf(bias, 1, ids),
    rescore: rescore && Math.min(rescore, ids.length),
    bound: bound && { ...bound, reach: rowsOf(bound.reach, boundBlocks, ids) },
  };
}

function rowsOf(values: Float32Array, width: number, ids: ArrayLike<number>): Float32Array {
  const out = new Float32Array(ids.length * width);
  for (let row = 0; row < ids.length; row++) {
    out.set(values.subarray(ids[row]! * width, (ids[row]! + 1) * width), row * width);
  }
  return out;
}
