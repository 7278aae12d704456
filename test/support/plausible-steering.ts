import { seededRandom } from "../../src/linalg/random.js";
import type { CheckedText, EditCheck } from "../../src/steering/check/check.js";
import { checkTexts } from "../../src/steering/check/check-texts.js";
import { methods } from "../../src/steering/plan/method.js";
import type { ProbedEdit } from "../../src/steering/probes/probe-edits.js";
import type { SteeringRun } from "../../src/steering/steering-run.js";
import type { Experiments } from "../../src/steering/trials/run-experiments.js";
import type { Trial } from "../../src/steering/trials/trial.js";

const texts = ["a", " b", " sea", "\n", "\u202e", "ﷺ", " the"];

/** Made-up experiments of every kind on two tokens a band, whose texts are given. */
export function plausibleExperiments(token: readonly string[] = texts): Experiments {
  const random = seededRandom(9);
  const groups = Array.from({ length: 6 }, (_, id) => {
    const text = token[id % token.length]!;
    return { label: text, tokens: [{ id, text }], band: Math.floor(id / 2) };
  });
  const trial = (group: number, scale: number, change: Partial<Trial> = {}): Trial => ({
    ...{
      group,
      target: { scale },
      wantedScale: scale,
      method: "nearest",
      calibrated: true,
      exact: false,
      lambda: 1e-4,
    },
    ...{ contexts: 2000, norm: 0.4 * Math.abs(Math.log(scale)), shortfall: undefined },
    effects: Object.fromEntries(
      checkTexts.map((text, i) => {
        const miss = (width: number) => scale * Math.exp([1e-8, 0.03, 0.06][i]! * width * (random() - 0.5));
        const actual = miss(2);
        const effect = { before: 1e-3, after: 1e-3 * actual, scale: actual, idealScale: miss(1), js: 1e-4 };
        const kl = { kl: 1e-3, klOfIdeal: 9e-4, klToIdeal: 2e-5 };
        return [text, { ...effect, ...kl, interval: { low: 0.98 * actual, high: 1.02 * actual } }];
      }),
    ),
    ...change,
  });
  const all = (scale: number, change?: Partial<Trial>) => groups.map((_, g) => trial(g, scale, change));
  const paper = { method: "encoding", calibrated: false } as const;
  return {
    groups,
    scales: [0.1, 10].flatMap((scale) => [...all(scale), ...all(scale, paper)]),
    methods: methods.flatMap((method) => all(0.2, { method })),
    lambdas: [1e-6, 1e-4, 1e-2].flatMap((lambda) => all(5, { lambda, norm: 0.1 / lambda ** 0.25 })),
    tokenCounts: [500, 1000, 2000].flatMap((contexts) => all(5, { contexts })),
    chosenLambda: 1e-4,
  };
}

/** A made-up run of `unembed steer` with the shape of a real one. @param token texts of the edited tokens and movers */
export function plausibleSteering(token: readonly string[] = texts, edits = 3): SteeringRun {
  const random = seededRandom(5);
  const near = (value: number, error: number) => value * Math.exp(error * (2 * random() - 1));
  const textOf = (id: number) => token[id % token.length]!;
  const scales = Array.from({ length: edits }, (_, g) => [0.5, 3, 1e-6, 20][g % 4]!);
  const checked = (error: number): CheckedText => ({
    groups: scales.map((scale) => {
      const actual = near(scale, error);
      return {
        before: 1e-3,
        after: 1e-3 * actual,
        scale: actual,
        interval: { low: actual * 0.99, high: actual * 1.01 },
        idealScale: near(scale, error),
      };
    }),
    collateral: {
      contexts: 2000,
      kl: { mean: 0.011, percentile95: 0.05, max: 0.4 },
      js: { mean: 0.003, percentile95: 0.01, max: 0.1 },
      klOthers: { mean: 2e-16, percentile95: 1e-15, max: 1e-12 },
      jsOthers: { mean: 2e-16, percentile95: 1e-15, max: 1e-12 },
      top1: 0.96,
      perplexity: { before: 76.5, after: 77.2 },
      movers: Array.from({ length: 10 }, (_, i) => ({
        id: 100 + i,
        token: textOf(i),
        a: 1e-4,
        b: 1e-4 * (1.2 - 0.01 * i),
        scale: 1.2 - 0.01 * i,
      })),
    },
  });
  const check: EditCheck = Object.fromEntries(checkTexts.map((text, i) => [text, checked([0, 0.03, 0.06][i]!)]));
  return {
    model: {
      ...{ name: "made-up", modelType: "gpt2", vocabSize: 500, hiddenSize: 16, dtype: "F16", tied: true },
      hasOutputBias: false,
    },
    texts: Object.fromEntries(checkTexts.map((text) => [text, { files: [{ name: `${text}.txt`, bytes: 12_345 }] }])),
    contextLength: 256,
    beginOfText: false,
    seed: 1,
    threads: 2,
    seconds: 12.5,
    edit: {
      out: "edited",
      plan: {
        schema: "unembed-edit-plan",
        schemaVersion: 1,
        vocabulary: { size: 500, sha256: "0" },
        method: "nearest",
        lambda: 1e-4,
        calibrate: true,
        edits: scales.map((scale, g) => ({
          label: `${textOf(g)}=x${scale}`,
          target: { scale },
          tokens: Array.from({ length: g === 1 ? 2 : 1 }, (_, j) => ({ id: 2 * g + j, text: textOf(g) })),
        })),
      },
      solution: {
        method: "nearest",
        warnings: [],
        rows: { ids: Int32Array.from({ length: edits + 1 }, (_, i) => i), values: new Float64Array(16 * (edits + 1)) },
        groups: scales.map((scale, g) => ({
          tokens: [2 * g],
          target: { scale },
          method: "nearest" as const,
          lambda: 1e-4,
          probability: { before: 1e-3, wanted: 1e-3 * scale, after: 1e-3 * scale },
          idealBias: Math.log(scale),
          klToIdeal: 1e-5,
          klOfIdeal: 1e-3,
          norms: [0.3],
          shortfall: g === 2 ? "no length of the edit comes nearer" : undefined,
        })),
      },
      check,
      probed: scales.map((scale) => plausiblyProbed(scale)),
    },
    generated: {
      pairs: [
        {
          prompt: textOf(2),
          seed: 0,
          before: [
            { text: " and then", edited: false },
            { text: textOf(0), edited: true },
          ],
          after: [{ text: " and so on", edited: false }],
        },
      ],
      occurrences: scales.map(() => ({ before: 12, after: 5, rate: { before: 0.12, after: 0.05 } })),
      tokens: { before: 100, after: 100 },
    },
  };
}

/** An edit in a thousand contexts, one of them against its target. */
function plausiblyProbed(scale: number): ProbedEdit {
  const before = Float32Array.from({ length: 1000 }, (_, i) => 10 ** (-8 + (7 * i) / 1000));
  const after = before.map((p, i) => Math.min(0.9, p * (i === 500 ? 1 / scale : scale)));
  return {
    contexts: 1000,
    largest: { before: Math.max(...before), after: Math.max(...after) },
    opposite: 0.001,
    worst: [{ ids: [1, 2, 3], text: "She said\n", before: before[500]!, after: after[500]! }],
    unsafe: Int32Array.of(),
    before,
    after,
  };
}
