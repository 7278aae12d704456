import type { Analysis, R2Interval, R2Point } from "../../encoding/analysis.js";
import { packFloat32, packInt32, type Quantised, quantise } from "../page/packed-numbers.js";

/** What the figures are drawn from, as it lies in the page. Token arrays are in the order of `Encoding.tokenIds`. */
export interface PageData {
  /** [R]. */
  tokens: string[];
  /** int32 [R]; left out where row i is token i. */
  ids?: string;
  /** How often each token occurs in the text, [R]. */
  counts: number[];
  /** float32 [R], nats. */
  observed: string;
  fitted: string;
  /** PCA scores of the tokens, one entry of [R] per component. */
  components: Quantised[];
  /** float32 [d]. */
  varianceShare: string;
  /** float32 [d] each. */
  slopes: string;
  tValues: string;
  saliency: string;
  lorenz: string;
  /** int32 [d]. */
  order: string;
  gini: number;
  dimensionsFor: Analysis["sparsity"]["dimensionsFor"];
  refits: Analysis["sparsity"]["refits"];
  r2Curve: R2Point[];
  r2Interval?: R2Interval;
}

/** Characters of base64 that the PCA scores may take: a quarter of what a report of 250,000 tokens may weigh. */
const SCORE_CHARACTERS = 3e6;
/** More pairs of components than anyone looks through. */
const MAX_COMPONENTS = 8;
/** Longer token texts carry no more information to a reader; the longest real ones are runs of spaces or dashes. */
const MAX_TOKEN_CHARACTERS = 64;

export function pageData(analysis: Analysis): PageData {
  const { encoding, uncertainty, sparsity, statistics, tokens } = analysis;
  const ids = [...encoding.tokenIds];
  return {
    tokens: ids.map((id) => (tokens[id] ?? "").slice(0, MAX_TOKEN_CHARACTERS)),
    ...(ids.every((id, i) => id === i) ? {} : { ids: packInt32(ids) }),
    counts: ids.map((id) => statistics.tokenCounts[id] ?? 0),
    observed: packFloat32(encoding.observed),
    fitted: packFloat32(encoding.fitted),
    components: components(sparsity.scores, ids.length, sparsity.componentCount),
    varianceShare: packFloat32(sparsity.varianceShare),
    slopes: packFloat32(encoding.slopes),
    tValues: packFloat32(encoding.tValues),
    saliency: packFloat32(sparsity.saliency),
    lorenz: packFloat32(sparsity.lorenz),
    order: packInt32(sparsity.order),
    gini: sparsity.gini,
    dimensionsFor: sparsity.dimensionsFor,
    refits: sparsity.refits,
    r2Curve: uncertainty.r2Curve,
    ...(uncertainty.r2Interval && { r2Interval: uncertainty.r2Interval }),
  };
}

/** At least two components where there are two, more while they are cheap. */
function components(scores: Float64Array, rows: number, available: number): Quantised[] {
  const affordable = Math.max(2, Math.floor(SCORE_CHARACTERS / ((rows * 8) / 3)));
  const kept = Math.min(available, affordable, MAX_COMPONENTS);
  return Array.from({ length: kept }, (_, component) => {
    const column = Float64Array.from({ length: rows }, (_, row) => scores[row * available + component]!);
    return quantise(column);
  });
}
