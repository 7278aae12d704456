import type { Dynamics, Movement, Onset } from "../../dynamics/dynamics.js";
import { fallingOrder } from "../../encoding/sparsity/saliency.js";
import { packFloat32, packInt32, type Quantised, quantise } from "../page/packed-numbers.js";

/** What the figures of a training run's report are drawn from, as it lies in the page. */
export interface DynamicsPageData {
  /** Per checkpoint probed, [K] each. */
  steps: number[];
  r2: number[];
  crossValidatedR2: number[];
  spearman: number[];
  shuffled: number[];
  slopeCosine: number[];
  gini: number[];
  dimensionsFor90: number[];
  meanRowNorm: number[];
  firstComponent: number[];
  tenComponents: number[];
  /** Tokens of the scatter plot, [R'] each: all, or a part of them where there are very many. */
  tokens: string[];
  ids: string;
  /** float32, nats. */
  observed: string;
  /** Checkpoints that the scatter plot can show, as indices, and what each of them fits, [R'] each. */
  shown: number[];
  fitted: Quantised[];
  /** Dimensions of the heat map, most salient at the end of the training first, and slope times standard deviation, [shown]. */
  dimensions: number[];
  signedSaliency: Quantised[];
  movements:
    | { steps: number[]; parts: ({ name: string; layer: number | null } & Pick<Movement, Measure>)[] }
    | undefined;
  log: { step: number; loss: number }[] | undefined;
  onset: Onset["shares"];
}

/** Numbers of a part of the model that a figure can show over the steps. */
export type Measure = "cosine" | "relativeDistance" | "pathShare" | "relativeDistanceToPrevious";

/** Characters of base64 that the fitted values may take. */
const FITTED_CHARACTERS = 4e6;
/** More tokens than this are a cloud all the same; the rest makes room for more checkpoints. */
const MAX_TOKENS = 20_000;
/** Rows of the heat map that can still be told apart. */
const MAX_DIMENSIONS = 48;
/** Columns of it, and points of the log. */
const MAX_COLUMNS = 160;
const MAX_LOG = 800;
const MAX_TOKEN_CHARACTERS = 64;

export function dynamicsPageData(run: Dynamics): DynamicsPageData {
  const { probes, frequencies, convergence } = run;
  const rows = evenly(frequencies.tokenIds.length, MAX_TOKENS);
  const affordable = Math.max(4, Math.floor(FITTED_CHARACTERS / ((rows.length * 8) / 3)));
  const shown = evenly(probes.length, Math.min(affordable, MAX_COLUMNS));
  const dimensions = [...fallingOrder(probes.at(-1)!.saliency)].slice(0, MAX_DIMENSIONS);
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const ids = rows.map((row) => frequencies.tokenIds[row]!);
  return {
    steps: probes.map(({ step }) => step),
    r2: probes.map(({ r2 }) => r2),
    crossValidatedR2: probes.map(({ crossValidatedR2 }) => crossValidatedR2),
    spearman: probes.map(({ spearman }) => spearman),
    shuffled: probes.map(({ shuffled }) => shuffled.crossValidatedR2),
    slopeCosine: run.slopeCosines,
    gini: probes.map(({ gini }) => gini),
    dimensionsFor90: probes.map(({ dimensionsFor }) => dimensionsFor[90]),
    meanRowNorm: probes.map(({ meanRowNorm }) => meanRowNorm),
    firstComponent: probes.map(({ varianceShare }) => varianceShare[0] ?? 0),
    tenComponents: probes.map(({ varianceShare }) => sum(varianceShare)),
    tokens: ids.map((id) => (run.tokens?.[id] ?? `#${id}`).slice(0, MAX_TOKEN_CHARACTERS)),
    ids: packInt32(ids),
    observed: packFloat32(rows.map((row) => frequencies.observed[row]!)),
    shown,
    fitted: shown.map((k) => quantise(rows.map((row) => probes[k]!.fitted[row]!))),
    dimensions,
    signedSaliency: shown.map((k) => {
      const { saliency, slopes } = probes[k]!;
      return quantise(dimensions.map((dimension) => Math.sign(slopes[dimension]!) * saliency[dimension]!));
    }),
    movements: convergence && {
      steps: convergence.steps,
      parts: [...convergence.layers, ...convergence.parts.filter(({ layer }) => layer === null)].map(
        ({ name, layer, cosine, relativeDistance, pathShare, relativeDistanceToPrevious }) => ({
          name,
          layer,
          cosine,
          relativeDistance,
          pathShare,
          relativeDistanceToPrevious,
        }),
      ),
    },
    log: run.log && evenly(run.log.length, MAX_LOG).map((i) => run.log![i]!),
    onset: run.onset.shares,
  };
}

/** At most so many of 0 ... length - 1, the first and the last among them. */
function evenly(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}
