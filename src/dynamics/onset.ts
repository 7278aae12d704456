import { seededRandom } from "../linalg/random.js";
import type { Interval } from "../measures/interval.js";
import { median } from "../measures/median.js";
import type { Convergence, Onset, OnsetAtShare, Passing, Probe } from "./dynamics.js";

const draws = 1000;
/** Share of the draws outside the interval, on each side. */
const tail = 0.025;

/**
 * When the cross-validated R2 passes 50% and 90% of where it ends, beside when each layer has walked the same share of its
 * path (METHOD.md section 5), and the ratio of the two with a bootstrap interval.
 */
export function onset(probes: readonly Probe[], convergence: Convergence | undefined, seed: number): Onset {
  const at = (percent: number) => onsetAt(probes, convergence, percent / 100, seed);
  return { finalR2: probes.at(-1)!.crossValidatedR2, shares: { "50": at(50), "90": at(90) } };
}

function onsetAt(
  probes: readonly Probe[],
  convergence: Convergence | undefined,
  share: number,
  seed: number,
): OnsetAtShare {
  const steps = probes.map(({ step }) => step);
  const encoding = passing(
    steps,
    probes.map(({ crossValidatedR2 }) => crossValidatedR2),
    share,
  );
  const layers = (convergence?.layers ?? []).map(({ name, pathShare }) => ({
    name,
    ...passing(convergence!.steps, pathShare, share),
  }));
  const layerSteps = layers.map(({ interpolatedStep }) => interpolatedStep).filter((step) => step !== null);
  const medianLayerStep = layerSteps.length > 0 ? median(layerSteps) : null;
  const drawn = bootstrap(probes, steps, layerSteps, share, seed);
  const ratios = drawn.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  return {
    encoding: { ...encoding, interval: encoding.step === null ? null : interval(drawn.map((draw) => draw.step)) },
    layers,
    medianLayerStep,
    timesEarlier:
      medianLayerStep === null || encoding.interpolatedStep === null || ratios.length === 0
        ? null
        : {
            ratio: (1 + medianLayerStep) / (1 + encoding.interpolatedStep),
            interval: interval(ratios)!,
          },
  };
}

/**
 * The first checkpoint at which a series that rises to its last value has passed a share of it, and where between it and
 * the one before on the scale log(1 + step). Nothing is passed by a series that ends at or below zero.
 */
export function passing(steps: readonly number[], values: readonly number[], share: number): Passing {
  const threshold = share * (values.at(-1) ?? 0);
  const index = threshold > 0 ? values.findIndex((value) => value >= threshold) : -1;
  if (index < 0) return { step: null, interpolatedStep: null };
  const step = steps[index]!;
  if (index === 0) return { step, interpolatedStep: step };
  const [before, after] = [values[index - 1]!, values[index]!];
  const part = (threshold - before) / (after - before);
  const [from, to] = [Math.log1p(steps[index - 1]!), Math.log1p(step)];
  return { step, interpolatedStep: Math.expm1(from + part * (to - from)) };
}

/** The encoding's step, and the ratio to the layers', over draws of groups of tokens and of layers, with replacement. */
function bootstrap(
  probes: readonly Probe[],
  steps: readonly number[],
  layerSteps: readonly number[],
  share: number,
  seed: number,
): { step: number; ratio: number | undefined }[] {
  const random = seededRandom(seed);
  const groups = probes[0]!.groups.total.length;
  const times = new Float64Array(groups);
  const results: { step: number; ratio: number | undefined }[] = [];
  for (let draw = 0; draw < draws; draw++) {
    times.fill(0);
    for (let i = 0; i < groups; i++) times[Math.floor(random() * groups)]!++;
    const layerDraw = layerSteps.map(() => layerSteps[Math.floor(random() * layerSteps.length)]!);
    const values = probes.map(({ groups: { heldOut, total } }) => {
      let [errors, squares] = [0, 0];
      for (let g = 0; g < groups; g++) {
        errors += times[g]! * heldOut[g]!;
        squares += times[g]! * total[g]!;
      }
      return 1 - errors / squares;
    });
    const { interpolatedStep: step } = passing(steps, values, share);
    if (step === null) continue;
    results.push({ step, ratio: layerDraw.length > 0 ? (1 + median(layerDraw)) / (1 + step) : undefined });
  }
  return results;
}

function interval(values: readonly number[]): Interval | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { low: at(tail), high: at(1 - tail) };
}
