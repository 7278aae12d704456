import { describe, expect, it } from "vitest";
import { randomStream } from "../../linalg/random.js";
import { type Sampling, samplingProbabilities } from "../sampling.js";
import { type BannedDrawing, bannedDrawer, defaultRedraws } from "./banned-drawer.js";

/** A model whose next token depends on the last one only: rows of probabilities, the first one for the beginning. */
type Chain = readonly (readonly number[])[];

const chain: Chain = [
  [0.5, 0.3, 0.2],
  [0.2, 0.7, 0.1],
  [0.3, 0.2, 0.5],
  [0.6, 0.2, 0.2],
];
const rowAfter = (model: Chain, ids: readonly number[]) => model[ids.length === 0 ? 0 : ids.at(-1)! + 1]!;
const endsWith = (ids: readonly number[], phrase: readonly number[]) =>
  ids.slice(-phrase.length).join() === phrase.join();

/** The distribution of texts of that length that nowhere say the phrase, by enumeration. */
function ideal(model: Chain, phrase: readonly number[], length: number): Map<string, number> {
  let texts: [number[], number][] = [[[], 1]];
  for (let i = 0; i < length; i++) {
    texts = texts.flatMap(([ids, p]) =>
      rowAfter(model, ids)
        .map((q, id): [number[], number] => [[...ids, id], p * q])
        .filter(([longer]) => !endsWith(longer, phrase)),
    );
  }
  const total = texts.reduce((sum, [, p]) => sum + p, 0);
  return new Map(texts.map(([ids, p]) => [ids.join(), p / total]));
}

/** One text: its tokens, and what the drawer did for it. */
function write(
  model: Chain,
  phrase: readonly number[],
  length: number,
  drawing: BannedDrawing,
  sampling: Sampling,
  seed: number,
) {
  const ids: number[] = [];
  const forbids = (id: number) => endsWith([...ids, id], phrase);
  const drawer = bannedDrawer(
    {
      forbids,
      forbidden: (some) => some.filter(forbids),
      ends: () => false,
      push: (id) => ids.push(id),
      back: (count) => {
        ids.length -= count;
      },
    },
    drawing,
    sampling,
    randomStream(seed),
  );
  let calls = 0;
  let settled = 0;
  let before: number[] = [];
  while (ids.length < length) {
    calls++;
    const length = ids.length;
    const drawn = drawer.draw(Float32Array.from(rowAfter(model, ids), Math.log));
    if (drawn.id === undefined) return { ids: undefined, calls, withdrawn: drawer.withdrawn };
    // What was said to stay stays. (Checked by hand: expect() is slow.)
    if (ids.length !== length - drawn.back + 1 || before.slice(0, settled).some((id, i) => ids[i] !== id)) {
      throw new Error(`${before} became ${ids}, ${drawn.back} taken back, ${settled} settled`);
    }
    settled = drawn.settled;
    before = [...ids];
  }
  return { ids, calls, withdrawn: drawer.withdrawn };
}

function frequencies(count: number, text: (seed: number) => { ids: number[] | undefined }): Map<string, number> {
  const found = new Map<string, number>();
  for (let seed = 0; seed < count; seed++) {
    const key = text(seed).ids!.join();
    found.set(key, (found.get(key) ?? 0) + 1 / count);
  }
  return found;
}

/** The largest difference in units of the standard deviation that counting has. */
function furthest(found: Map<string, number>, wanted: Map<string, number>, count: number): number {
  expect([...found.keys()].filter((key) => !wanted.has(key))).toEqual([]);
  return Math.max(
    ...Array.from(wanted, ([key, p]) => Math.abs((found.get(key) ?? 0) - p) / Math.sqrt((p * (1 - p)) / count)),
  );
}

const aligned: BannedDrawing = { method: "aligned", lag: 32, tries: 1, redraws: defaultRedraws };
const phrase = [0, 1];
const count = 3000;

describe("texts of four tokens under a ban that half of them run into", () => {
  const wanted = ideal(chain, phrase, 4);
  it.each<[string, BannedDrawing]>([
    ["aligned", aligned],
    ["reject", { ...aligned, method: "reject", tries: 1000 }],
  ])("%s draws them as often as the original does among those without it", (_, drawing) => {
    const found = frequencies(count, (seed) => write(chain, phrase, 4, drawing, {}, seed));
    expect(furthest(found, wanted, count)).toBeLessThan(4.5);
  });

  it("mask does not", () => {
    const found = frequencies(count, (seed) => write(chain, phrase, 4, { ...aligned, method: "mask" }, {}, seed));
    expect(furthest(found, wanted, count)).toBeGreaterThan(7);
  });

  it("temperature, top-k and top-p come first", () => {
    const sampling = { temperature: 1.5, topK: 2 };
    const sampled = chain.map((row) => [...samplingProbabilities(row.map(Math.log), sampling)]);
    const wanted = ideal(sampled, phrase, 4);
    const found = frequencies(count, (seed) => write(chain, phrase, 4, aligned, sampling, seed));
    expect(furthest(found, new Map([...wanted].filter(([, p]) => p > 0)), count)).toBeLessThan(4.5);
  });
});

it("without redraws: the paper's algorithm, where it can be worked out by hand", () => {
  // Two tokens, "ab" banned: "a" stays with (1 - q) / (1 - p q), so that P(a) = p (1 - q) (1 + q (1 - p)) / (1 - p q).
  const [p, q] = [0.5, 0.5];
  const model = [
    [p, 1 - p],
    [1 - q, q],
    [0.5, 0.5],
  ];
  let a = 0;
  const texts = 6000;
  for (let seed = 0; seed < texts; seed++) {
    if (write(model, phrase, 2, { ...aligned, redraws: 0 }, {}, seed).ids![0] === 0) a++;
  }
  const wanted = (p * (1 - q) * (1 + q * (1 - p))) / (1 - p * q);
  expect(Math.abs(a / texts - wanted) / Math.sqrt((wanted * (1 - wanted)) / texts)).toBeLessThan(4);
});

it("with a lag of one token, each is drawn as the original draws it where the next one says nothing", () => {
  const found = frequencies(count, (seed) => write(chain, phrase, 4, { ...aligned, lag: 1, redraws: 50 }, {}, seed));
  const wanted = new Map<string, number>();
  // P(x_i | before) times the chance that x_i+1 completes nothing, over all x_i; the last two together.
  const extend = (ids: readonly number[], probability: number): void => {
    if (ids.length === 4) wanted.set(ids.join(), probability);
    else {
      const weights = rowAfter(chain, ids).map((value, id) => {
        const next = [...ids, id];
        if (endsWith(next, phrase)) return 0;
        const rest =
          next.length === 4
            ? 1
            : rowAfter(chain, next).reduce((sum, r, then) => (endsWith([...next, then], phrase) ? sum : sum + r), 0);
        return value * rest;
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, id) => {
        if (weight > 0) extend([...ids, id], (probability * weight) / total);
      });
    }
  };
  extend([], 1);
  expect(furthest(found, wanted, count)).toBeLessThan(4.5);
});

it("greedy: gives way where the second choice is nearest to the first", () => {
  const model = [
    [0.5, 0.4, 0.1],
    [0.1, 0.7, 0.2],
    [0.2, 0.2, 0.6],
    [0.3, 0.3, 0.4],
  ];
  // "ab" is what it would write; "b" is nearer to "a" than "c" is to "b" after it.
  const options = [model, phrase, 3, aligned, { temperature: 0 }, 1] as const;
  expect(write(...options)).toEqual({ ids: [1, 2, 2], calls: 4, withdrawn: 2 });
  expect(write(model, phrase, 3, { ...aligned, method: "mask" }, { temperature: 0 }, 1).ids).toEqual([0, 2, 2]);
});

it("ends where nothing may follow, and gives up where all tries fail", () => {
  const only = [
    [1, 0],
    [0, 1],
    [0.5, 0.5],
  ];
  for (const method of ["aligned", "mask", "reject"] as const) {
    expect(write(only, phrase, 3, { ...aligned, method, tries: 3 }, {}, 1).ids).toBeUndefined();
  }
});

it("ends in time where nearly everything is banned", () => {
  const model = [
    [0.9, 0.1],
    [0.999, 0.001],
    [0.999, 0.001],
  ];
  const { ids, calls } = write(model, [0], 40, aligned, {}, 1);
  expect(ids).toEqual(Array(40).fill(1));
  expect(calls).toBeLessThan(1500);
});
