import { inOrder } from "../engine/in-order.js";
import { InputError } from "../errors.js";
import { dot, norm } from "../linalg/dot.js";
import { type Gram, gram as plainGram } from "../linalg/gram.js";
import { seededRandom } from "../linalg/random.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { measureConvergence } from "./convergence.js";
import type { Convergence, Dynamics, Frequencies, LogEntry, Probe, UnusableCheckpoint } from "./dynamics.js";
import { type Checkpoint, sortedCheckpoints } from "./inputs/checkpoint.js";
import { onset } from "./onset.js";
import { learntTokens } from "./probe/learnt-tokens.js";
import { type ProbeTarget, probeCheckpoint, probeEmbedding, probeTarget } from "./probe/probe.js";

/** Probes of an earlier, interrupted run. */
export interface KeptProbes {
  /** @returns undefined if there is none of this very checkpoint */
  load(checkpoint: Checkpoint, entry: TensorEntry, frequencies: Frequencies): Promise<Probe | undefined>;
  save(probe: Probe, entry: TensorEntry, frequencies: Frequencies): Promise<void>;
}

/** What `dynamics` is given beside the checkpoints. */
export interface DynamicsOptions {
  /** The run's name. Default: what the checkpoints' names begin with. */
  name?: string | undefined;
  /** Frequencies of the rows of E, asked for once V is known. */
  frequencies: (vocabSize: number) => Frequencies | Promise<Frequencies>;
  /** Text of every token id. */
  tokens?: string[] | undefined;
  /** What multiplies the matrices; plain JavaScript if left out. */
  gram?: Gram | undefined;
  /** Also measure how far all parameters are (reads the whole of every checkpoint), or what was measured before. */
  convergence?: boolean | Convergence | undefined;
  log?: LogEntry[] | undefined;
  /** Seed of the shuffled frequencies, the random embedding and the bootstrap. Default 0. */
  seed?: number | undefined;
  /** Threads that `gram` uses, for the record. */
  threads?: number | undefined;
  kept?: KeptProbes | undefined;
  signal?: AbortSignal | undefined;
  /** Told after every checkpoint probed, and every tensor compared. */
  onProgress?: ((progress: DynamicsProgress) => void) | undefined;
  /** Something that the user should know, in one line. */
  onNotice?: ((message: string) => void) | undefined;
}

/** How far a run over checkpoints is. */
export interface DynamicsProgress {
  readonly phase: "probe" | "convergence";
  /** Checkpoints probed, or tensors compared. */
  readonly done: number;
  readonly total: number;
  /** The checkpoint just probed. */
  readonly probe?: Probe | undefined;
}

/** Checkpoints fetched at a time, while earlier ones are regressed on. */
const fetchedAhead = 4;

/**
 * Regresses token frequency on the output embedding of every checkpoint of a training run (METHOD.md section 5).
 *
 *     const result = await dynamics(await openCheckpoints(["run/steps"]), { frequencies: (V) => ... });
 *     console.log(result.onset.shares[50].encoding.step);
 *
 * @throws InputError if checkpoints do not belong together, or none can be used; the signal's reason when it is aborted
 */
export async function dynamics(checkpoints: readonly Checkpoint[], options: DynamicsOptions): Promise<Dynamics> {
  const started = performance.now();
  const { seed = 0, signal, onProgress, onNotice } = options;
  const sorted = sortedCheckpoints(checkpoints);
  if (sorted.length < 2) throw new InputError("checkpoints", `${sorted.length} given; a run needs at least two`);
  await checkLocalShapes(sorted);
  const { probes, unusable, model, target } = await probeAll(sorted, options);
  if (probes.length < 2) {
    const why = unusable.map(({ name, problem }) => `${name}: ${problem}`).slice(0, 3);
    throw new InputError("checkpoints", `fewer than two can be used (${why.join("; ")})`);
  }
  const probed = performance.now();
  const random = await randomEmbedding(probes[0]!, target, model, options);
  const usable = sorted.filter(({ step }) => !unusable.some((bad) => bad.step === step));
  const convergence = await convergenceOf(usable, options, (bad) => unusable.push(bad));
  const measured = performance.now();
  const { frequencies } = target;
  const last = probes.at(-1)!.slopes;
  for (const { name, problem } of unusable) onNotice?.(`${name}: ${problem}; it is left out`);
  signal?.throwIfAborted();
  onProgress?.({ phase: "probe", done: sorted.length, total: sorted.length });
  return {
    model: { name: options.name ?? commonName(sorted), ...model },
    frequencies,
    tokens: options.tokens,
    probes,
    unusable,
    slopeCosines: probes.map(({ slopes }) => cosine(slopes, last)),
    randomEmbedding: random,
    convergence,
    log: options.log,
    onset: onset(probes, convergence, seed),
    learnt: learntTokens(probes, frequencies, options.tokens),
    seed,
    threads: options.threads ?? 1,
    seconds: {
      probes: (probed - started) / 1000,
      convergence: (measured - probed) / 1000,
      total: (performance.now() - started) / 1000,
    },
    fetched: undefined,
  };
}

interface ProbedModel {
  tensor: string;
  vocabSize: number;
  hiddenSize: number;
  dtype: string;
}

async function probeAll(
  checkpoints: readonly Checkpoint[],
  { frequencies, gram = plainGram, seed = 0, kept, signal, onProgress }: DynamicsOptions,
) {
  const probes: Probe[] = [];
  const unusable: UnusableCheckpoint[] = [];
  let first: { model: ProbedModel; name: string; target: ProbeTarget } | undefined;
  async function* source() {
    yield* checkpoints;
  }
  const fetched = inOrder(source(), fetchedAhead, async (checkpoint) => {
    signal?.throwIfAborted();
    return { checkpoint, entry: await checkpoint.outputEmbedding() };
  });
  let done = 0;
  for await (const { checkpoint, entry } of fetched) {
    signal?.throwIfAborted();
    const [vocabSize, hiddenSize] = entry.shape as [number, number];
    if (first === undefined) {
      const model = { tensor: entry.name, vocabSize, hiddenSize, dtype: entry.dtype };
      first = { model, name: checkpoint.name, target: probeTarget(await frequencies(vocabSize), seed) };
    }
    checkSameShape(checkpoint.name, entry, first.name, first.model);
    const probe =
      (await kept?.load(checkpoint, entry, first.target.frequencies)) ??
      (await probeCheckpoint(checkpoint, entry, first.target, gram));
    if ("problem" in probe) unusable.push({ name: checkpoint.name, step: checkpoint.step, problem: probe.problem });
    else {
      probes.push(probe);
      await kept?.save(probe, entry, first.target.frequencies);
    }
    onProgress?.({
      phase: "probe",
      done: ++done,
      total: checkpoints.length,
      probe: "problem" in probe ? undefined : probe,
    });
  }
  return { probes, unusable, model: first!.model, target: first!.target };
}

/** Before any work: what does not belong together, as far as headers at hand tell. */
async function checkLocalShapes(checkpoints: readonly Checkpoint[]): Promise<void> {
  let first: { name: string; model: { vocabSize: number; hiddenSize: number } } | undefined;
  for (const checkpoint of checkpoints) {
    if (!checkpoint.local) continue;
    const entry = await checkpoint.outputEmbedding();
    const [vocabSize, hiddenSize] = entry.shape as [number, number];
    first ??= { name: checkpoint.name, model: { vocabSize, hiddenSize } };
    checkSameShape(checkpoint.name, entry, first.name, first.model);
  }
}

function checkSameShape(
  name: string,
  { shape }: TensorEntry,
  firstName: string,
  model: { vocabSize: number; hiddenSize: number },
): void {
  if (shape[0] === model.vocabSize && shape[1] === model.hiddenSize) return;
  const what = shape[0] === model.vocabSize ? "another width" : "another vocabulary";
  throw new InputError(
    name,
    `its output embedding is ${shape[0]} x ${shape[1]}, and ${model.vocabSize} x ${model.hiddenSize} in ${firstName}: ${what}, so not the same run`,
  );
}

/** What an embedding that has learnt nothing gives: the first checkpoint if it is of step 0, else normal numbers. */
async function randomEmbedding(
  first: Probe,
  target: ProbeTarget,
  { vocabSize, hiddenSize }: ProbedModel,
  { gram = plainGram, seed = 0, signal }: DynamicsOptions,
): Promise<Dynamics["randomEmbedding"]> {
  signal?.throwIfAborted();
  const initial = first.step === 0;
  const probe = initial
    ? first
    : await probeEmbedding("random", 0, normalMatrix(vocabSize, hiddenSize, seed), target, gram);
  const { r2, adjustedR2, crossValidatedR2, spearman } = probe;
  return {
    source: initial ? "initial checkpoint" : "seeded normal numbers",
    r2,
    adjustedR2,
    crossValidatedR2,
    spearman,
  };
}

function normalMatrix(rows: number, columns: number, seed: number) {
  const random = seededRandom(seed);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
  return { rows, columns, data };
}

async function convergenceOf(
  checkpoints: readonly Checkpoint[],
  { convergence, signal, onProgress }: DynamicsOptions,
  leaveOut: (bad: UnusableCheckpoint) => void,
): Promise<Convergence | undefined> {
  if (typeof convergence !== "boolean") return convergence;
  if (!convergence) return undefined;
  const measured = await measureConvergence(checkpoints, {
    signal,
    onProgress: (done, total) => onProgress?.({ phase: "convergence", done, total }),
  });
  for (const { name, step, tensor } of measured.notFinite) {
    leaveOut({
      name,
      step,
      problem: `tensor "${tensor}" holds numbers that are not finite (left out of the convergence)`,
    });
  }
  return measured.convergence;
}

function cosine(a: Float64Array, b: Float64Array): number {
  const size = norm(a) * norm(b);
  return size > 0 ? dot(a, 0, b, 0, a.length) / size : 0;
}

/** What the checkpoints' names have in common at their start, without a trailing "step". */
function commonName(checkpoints: readonly Checkpoint[]): string {
  const [first = "", ...others] = checkpoints.map(({ name }) => name);
  let length = first.length;
  for (const other of others) {
    while (!other.startsWith(first.slice(0, length))) length--;
  }
  const common = first
    .slice(0, length)
    .replace(/\d*$/, "")
    .replace(/(?:global_?)?(?:step|checkpoint|iter)[-_]?$/i, "")
    .replace(/(?:[/\\]steps)?[/\\@]$/, "");
  return common === "" ? first : common;
}
