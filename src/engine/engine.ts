import type { EngineCapabilities } from "./capabilities.js";
import type { Graph } from "./graph.js";

/** A dense row-major tensor going into or coming out of a session. */
export type Tensor =
  | { readonly type: "float32"; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly type: "float64"; readonly data: Float64Array; readonly dims: readonly number[] }
  | { readonly type: "int64"; readonly data: BigInt64Array; readonly dims: readonly number[] };

export type Tensors = Readonly<Record<string, Tensor>>;

/** A graph that is loaded and ready to run. */
export interface Session {
  /** How many runs are worth having under way at once. */
  readonly concurrency: number;
  /**
   * @param handOver names of feeds whose memory goes to the session, which spares a copy: the caller's arrays are empty
   * then. For what one run put out and the next takes in, like keys and values.
   */
  run(feeds: Tensors, handOver?: readonly string[]): Promise<Tensors>;
  release(): Promise<void>;
}

/** What turns graphs into sessions: onnxruntime on Node or in a browser. */
export interface Engine {
  readonly threads: number;
  readonly capabilities: EngineCapabilities;
  /**
   * Makes a graph ready to run, its weights read.
   * @param options oneAtATime for runs that follow one another: all threads work on each, instead of each on a run of its own
   */
  load(graph: Graph, options?: { oneAtATime?: boolean }): Promise<Session>;
  /** Releases every session and thread. */
  close(): Promise<void>;
}

/** The float32 output of that name. @throws Error if the graph has no such output: a mistake in the graph. */
export function float32Output(outputs: Tensors, name: string): Float32Array {
  const tensor = outputs[name];
  if (tensor?.type !== "float32") throw new Error(`no float32 output "${name}"`);
  return tensor.data;
}

/** The float64 output of that name. @throws Error if the graph has no such output: a mistake in the graph. */
export function float64Output(outputs: Tensors, name: string): Float64Array {
  const tensor = outputs[name];
  if (tensor?.type !== "float64") throw new Error(`no float64 output "${name}"`);
  return tensor.data;
}
