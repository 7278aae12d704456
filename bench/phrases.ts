/**
 * How near to the ideal texts under a ban are, and what they cost (docs/phrases.md). The ideal is the distribution that texts
 * are drawn from, conditioned on never saying the phrase; it and `mask`'s are enumerated, the others drawn:
 *
 *     npx tsx bench/phrases.ts [--texts 20000] [--long 16] [--threads 2]
 *
 * A text of `aligned` whose redraws were never used up is distributed as the ideal (src/generation/bans/banned-drawer.ts), so
 * that its KL is -ln(1 - share of the others) at most: the bound printed, with 3 more texts than were found (95%).
 */
import { parseArgs } from "node:util";
import { type BannedDrawing, bannedDrawer, defaultRedraws } from "../src/generation/bans/banned-drawer.js";
import { openDecoder } from "../src/generation/decoder.js";
import { generate } from "../src/generation/generate.js";
import { samplingProbabilities } from "../src/generation/sampling.js";
import { randomStream } from "../src/linalg/random.js";
import { loadModel } from "../src/node/load-model.js";

const { values: options } = parseArgs({
  options: {
    texts: { type: "string", default: "20000" },
    long: { type: "string", default: "16" },
    threads: { type: "string", default: "2" },
  },
});
const texts = Number(options.texts);
const length = 5;
const aligned: BannedDrawing = { method: "aligned", lag: 32, tries: 1e6, redraws: defaultRedraws };
const methods: Record<string, BannedDrawing> = {
  aligned,
  "without redraws": { ...aligned, redraws: 0 },
  reject: { ...aligned, method: "reject" },
};

type Row = readonly { id: number; p: number }[];
type Rows = (ids: readonly number[]) => Row;

const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
const model = await loadModel("tiny-books", { threads: Number(options.threads) });
row("model", "phrase", "texts that say it", "KL mask", "KL aligned, at most", "calls aligned", "without", "reject");
row(...Array(8).fill("---"));
for (const prompt of ["It was", "She said that the", "\"I don't"]) {
  const rows = await embeddedRows(prompt);
  for (const size of [2, 3, 4]) compare(`tiny-books, ${JSON.stringify(prompt)}`, rows, size);
}
for (const seed of [1, 2, 3]) {
  for (const size of [2, 3, 4]) compare(`random ${seed}, V = 16`, randomRows(seed, 16), size);
}
await calls();
await model.close();

/** Next tokens of the embedded model with top-k 4 after all texts that can come of a prompt. */
async function embeddedRows(prompt: string): Promise<Rows> {
  const decoder = await openDecoder(model);
  const opening = (await model.tokenizer()).encode(prompt);
  const known = new Map<string, Row>();
  let level: number[][] = [[]];
  for (let depth = 0; depth < length; depth++) {
    const next: number[][] = [];
    for (let start = 0; start < level.length; start += 32) {
      const part = level.slice(start, start + 32);
      const { hidden } = await decoder.read(part.map((ids) => [...opening, ...ids]));
      const z = await model.logits(hidden);
      part.forEach((ids, index) => {
        const own = z.subarray(index * model.vocabSize, (index + 1) * model.vocabSize);
        const p = samplingProbabilities(own, { topK: 4 });
        const found = Array.from(p.keys()).filter((id) => p[id]! > 0);
        known.set(
          ids.join(),
          found.map((id) => ({ id, p: p[id]! })),
        );
        next.push(...found.map((id) => [...ids, id]));
      });
    }
    level = next;
  }
  await decoder.close();
  return (ids) => known.get(ids.join())!;
}

/** Logits drawn from a normal distribution of deviation 1.5 for every pair of tokens before. */
function randomRows(seed: number, vocabSize: number): Rows {
  const known = new Map<string, Row>();
  return (ids) => {
    const key = ids.slice(-2).join();
    const random = randomStream(seed, ids.at(-1) ?? 99, ids.at(-2) ?? 99);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const made = () =>
      Array.from(
        samplingProbabilities(
          Array.from({ length: vocabSize }, () => 1.5 * normal()),
          {},
        ),
        (p, id) => ({ id, p }),
      );
    const found = known.get(key) ?? made();
    known.set(key, found);
    return found;
  };
}

function endsWith(ids: readonly number[], phrase: readonly number[]): boolean {
  return ids.length >= phrase.length && phrase.every((id, i) => ids[ids.length - phrase.length + i] === id);
}

/** The phrase of that many tokens that most texts say. */
function commonest(rows: Rows, size: number): number[] {
  const found = new Map<string, number>();
  const visit = (ids: readonly number[], p: number): void => {
    if (ids.length >= size) found.set(ids.slice(-size).join(), (found.get(ids.slice(-size).join()) ?? 0) + p);
    if (ids.length < length) for (const next of rows(ids)) visit([...ids, next.id], p * next.p);
  };
  visit([], 1);
  return [...found]
    .sort((a, b) => b[1] - a[1])[0]![0]
    .split(",")
    .map(Number);
}

function compare(name: string, rows: Rows, size: number): void {
  const phrase = commonest(rows, size);
  let allowed = 0;
  let klMask = 0;
  const visit = (ids: readonly number[], p: number, masked: number): void => {
    if (ids.length === length) {
      allowed += p;
      klMask += p * Math.log(p / masked);
      return;
    }
    const next = rows(ids).filter(({ id }) => !endsWith([...ids, id], phrase));
    const left = next.reduce((sum, one) => sum + one.p, 0);
    for (const one of next) visit([...ids, one.id], p * one.p, (masked * one.p) / left);
  };
  visit([], 1, 1);
  klMask = klMask / allowed - Math.log(allowed);
  const drawn = Object.entries(methods).map(([method, drawing]) =>
    draw(rows, phrase, drawing, method === "reject" ? texts / 10 : texts),
  );
  const [ours, paper, reject] = drawn as [Drawn, Drawn, Drawn];
  const bound = -Math.log(1 - (ours.used + 3) / texts);
  row(
    name,
    size,
    `${(100 * (1 - allowed)).toFixed(1)}%`,
    klMask.toFixed(4),
    bound.toFixed(4),
    ours.calls.toFixed(2),
    paper.calls.toFixed(2),
    reject.calls.toFixed(2),
  );
}

interface Drawn {
  readonly calls: number;
  /** Texts that may have used up their redraws. */
  readonly used: number;
}

function draw(rows: Rows, phrase: readonly number[], drawing: BannedDrawing, count: number): Drawn {
  let [calls, used] = [0, 0];
  for (let seed = 0; seed < count; seed++) {
    const ids: number[] = [];
    // Places in the row stand for ids: the drawer sees a small vocabulary.
    const idAt = (place: number) => rows(ids)[place]!.id;
    const places: number[] = [];
    const watch = {
      forbids: (place: number) => endsWith([...ids, idAt(place)], phrase),
      forbidden: (some: readonly number[]) => some.filter((place) => endsWith([...ids, idAt(place)], phrase)),
      ends: () => false,
      push(place: number) {
        ids.push(idAt(place));
        places.push(place);
      },
      back(taken: number) {
        ids.length -= taken;
        places.length -= taken;
      },
    };
    const drawer = bannedDrawer(watch, drawing, {}, randomStream(7, seed));
    while (ids.length < length) {
      calls++;
      if (drawer.draw(Float32Array.from(rows(ids), ({ p }) => Math.log(p))).id === undefined)
        throw new Error("no way on");
    }
    if (drawer.withdrawn > defaultRedraws * 10 * drawing.lag - length) used++;
  }
  return { calls: calls / count / length, used };
}

/** Calls per token of long texts, with phrases that come once in about 200 tokens. */
async function calls(): Promise<void> {
  const written = { prompt: "It was", n: Number(options.long), maxTokens: 200, seed: 11 };
  const free = await generate(model, written);
  const all = free.map(({ text }) => text).join("\n");
  const wanted = (written.n * written.maxTokens) / 200;
  const candidates = [...new Set(all.match(/(?<= )[A-Za-z]+ [A-Za-z]+(?= )|(?<= )[a-z]{2,}(?= )/g))].map(
    (phrase) => ` ${phrase} `,
  );
  const times = (phrase: string) => all.split(phrase).length - 1;
  const nearest = candidates.sort((a, b) => Math.abs(times(a) - wanted) - Math.abs(times(b) - wanted)).slice(0, 3);
  console.log();
  row("phrase", "once in tokens", "method", "calls per token", "withdrawn per token", "tokens/s");
  row(...Array(6).fill("---"));
  for (const phrase of nearest) {
    for (const banMethod of ["aligned", "mask", "reject"] as const) {
      const started = performance.now();
      const found = await generate(model, { ...written, ban: [phrase], banMethod });
      const seconds = (performance.now() - started) / 1000;
      const tokens = found.reduce((sum, { ids }) => sum + ids.length, 0);
      const per = (total: number) => (total / tokens).toFixed(2);
      row(
        JSON.stringify(phrase),
        Math.round((written.n * written.maxTokens) / times(phrase)),
        banMethod,
        per(found.reduce((sum, text) => sum + text.calls, 0)),
        per(found.reduce((sum, text) => sum + text.withdrawn, 0)),
        (tokens / seconds).toFixed(0),
      );
    }
  }
}
