/**
 * What an engine can compute, for who builds graphs: each is asked for where a graph has another form without it, and
 * nowhere is it asked which engine it is.
 */
export interface EngineCapabilities {
  /**
   * Numbers of 64 bits. Without them a graph puts out sums of one block of contexts as float32, which are added up as float64
   * outside, and products in float64 are computed outside.
   */
  readonly float64: boolean;
  /** `FusedMatMul`, a product with a matrix as its transpose is stored. Without it: Transpose, then MatMul. */
  readonly fusedProducts: boolean;
  /** `MultiHeadAttention`. Without it, or where it is wrong, attention is computed in single steps. */
  readonly fusedAttention: boolean;
  /** Weights in float16. Without them they are widened before the engine is given them. */
  readonly float16: boolean;
  /** Whether matrices of weights are multiplied as float16: half their memory, and a rounding of both factors. */
  readonly float16Products: boolean;
  /** Most runs that may be under way at once, of all its sessions together; undefined if any number. */
  readonly concurrency: number | undefined;
  /** How weights reach it: read from the files that they lie in, or as bytes in memory, which it copies. */
  readonly externalData: "files" | "bytes";
}

/** onnxruntime on a processor, which reads files: graphs that are written as files are made for it too. */
export const processorCapabilities: EngineCapabilities = {
  float64: true,
  fusedProducts: true,
  fusedAttention: true,
  float16: true,
  float16Products: false,
  concurrency: undefined,
  externalData: "files",
};
