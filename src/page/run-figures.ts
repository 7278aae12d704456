import { InputError } from "../errors.js";
import type { PageData } from "../report/analysis/page-data.js";
import { packFloat32, packInt32, quantise } from "../report/page/packed-numbers.js";
import { bytesSource } from "../tensor/byte-source.js";
import { readIntegers, readSafetensorsHeader, readTensorFloat64 } from "../tensor/safetensors/safetensors.js";

/** What the figures of a finished `analyze` are drawn from. */
export interface RunFigures {
  readonly model: string;
  readonly contexts: number;
  readonly r2: number;
  readonly data: PageData;
}

/** As much of run.json as the figures need (docs/run-schema.md). */
interface AnalyzeRun {
  readonly model: { readonly name: string };
  readonly corpus: { readonly contexts: number };
  readonly results: Pick<PageData, "gini" | "dimensionsFor" | "refits" | "r2Curve"> & {
    readonly r2: number;
    readonly varianceShare: readonly number[];
    readonly worstTokens: readonly { readonly id: number; readonly token: string }[];
  };
}

/**
 * A run's figures from the three files that `analyze` writes beside its report.
 * @param tokens text of tokens.csv; without it tokens are shown by their ids
 * @throws InputError naming the file and the field that cannot be used
 */
export async function runFigures(json: string, tensors: Uint8Array<ArrayBuffer>, tokens?: string): Promise<RunFigures> {
  const { model, corpus, results } = analyzeRun(json);
  const file = "tensors.safetensors";
  const { tensors: entries } = await readSafetensorsHeader(bytesSource(file, tensors));
  const entry = (name: string) => {
    const found = entries.get(name);
    if (found === undefined) throw new InputError(file, `has no tensor ${name}`);
    return found;
  };
  const vector = async (name: string, length?: number) => {
    const values = await readTensorFloat64(entry(name));
    if (length !== undefined && values.length !== length)
      throw new InputError(file, `${name} has ${values.length} numbers; ${length} are wanted`);
    return values;
  };
  const ids = Int32Array.from(await readIntegers(entry("token_ids")));
  const probability = await vector("mean_probability");
  if (ids.some((id) => !(id >= 0 && id < probability.length)))
    throw new InputError(file, `token_ids holds ids that mean_probability has no number for`);
  const counts = await vector("token_counts", probability.length);
  const slopes = await vector("slopes");
  const saliency = await vector("saliency", slopes.length);
  const texts = tokens === undefined ? undefined : tokenTexts(tokens);
  const data: PageData = {
    tokens: Array.from(ids, (id) => texts?.get(id) ?? `#${id}`),
    ids: packInt32(ids),
    counts: Array.from(ids, (id) => counts[id]!),
    observed: packFloat32(ids.length === 0 ? [] : Array.from(ids, (id) => -Math.log(probability[id]!))),
    fitted: packFloat32(await vector("fitted", ids.length)),
    components: columns(await vector("component_scores"), ids.length).map(quantise),
    varianceShare: packFloat32(results.varianceShare),
    slopes: packFloat32(slopes),
    tValues: packFloat32(await vector("t_values", slopes.length)),
    saliency: packFloat32(saliency),
    lorenz: packFloat32([]),
    order: packInt32(Int32Array.from(saliency.keys()).sort((i, j) => saliency[j]! - saliency[i]! || i - j)),
    gini: results.gini,
    dimensionsFor: results.dimensionsFor,
    refits: results.refits,
    r2Curve: results.r2Curve,
  };
  return { model: model.name, contexts: corpus.contexts, r2: results.r2, data };
}

/** @throws InputError unless it is what `analyze` writes */
function analyzeRun(json: string): AnalyzeRun {
  const file = "run.json";
  let run: Partial<AnalyzeRun> & { readonly schema?: unknown; readonly kind?: unknown };
  try {
    run = JSON.parse(json);
  } catch (error) {
    throw new InputError(file, `is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (run?.schema !== "unembed-run") throw new InputError(file, "schema is not unembed-run");
  if (run.kind !== "analyze") throw new InputError(file, `kind is ${JSON.stringify(run.kind)}; "analyze" is wanted`);
  const { model, corpus, results } = run;
  const fields = {
    "model.name": typeof model?.name === "string",
    "corpus.contexts": typeof corpus?.contexts === "number",
    "results.r2": typeof results?.r2 === "number",
    "results.gini": typeof results?.gini === "number",
    "results.dimensionsFor": typeof results?.dimensionsFor?.["50"] === "number",
    "results.refits": Array.isArray(results?.refits),
    "results.r2Curve": Array.isArray(results?.r2Curve),
    "results.varianceShare": Array.isArray(results?.varianceShare),
  };
  const wrong = Object.entries(fields).find(([, right]) => !right);
  if (wrong) throw new InputError(file, `${wrong[0]} is missing or of another kind`);
  return run as AnalyzeRun;
}

function columns(scores: Float64Array, rows: number): Float64Array[] {
  const width = rows === 0 ? 0 : scores.length / rows;
  if (!Number.isInteger(width))
    throw new InputError("tensors.safetensors", "component_scores has rows of unlike length");
  return Array.from({ length: width }, (_, i) =>
    Float64Array.from({ length: rows }, (_, row) => scores[row * width + i]!),
  );
}

/** Texts by id, from lines `id,"text",...` whose quotes are doubled (docs/run-schema.md#tokenscsv). */
function tokenTexts(csv: string): Map<number, string> {
  const texts = new Map<number, string>();
  for (const [, id, text] of csv.matchAll(/^(\d+),"((?:[^"]|"")*)",/gm)) {
    texts.set(Number(id), unescaped(text!.replaceAll('""', '"')));
  }
  return texts;
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text.replaceAll('"', '\\"')}"`);
  } catch {
    return text;
  }
}
