import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { smallBooks } from "../../../test/support/small-books.js";
import { textTokens } from "../../model/contexts/store-text.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { Model } from "../../model/model.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { loadModel } from "../../node/load-model.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { planEdits } from "../plan/edit-plan.js";
import type { EditPlan } from "../plan/saved-plan.js";
import { type Steered, steer } from "../steer.js";
import { measureWords } from "./measure-words.js";
import { beginningsIn, endsOf, splicedContexts } from "./word-contexts.js";
import { isWordEdit, usesInText } from "./words-in-text.js";

const fit = corpus("assets/corpus/books-fit.txt");
const unseen = corpus("assets/corpus/books-heldout.txt");
const tokens = 3000;

let folder: string;
let model: Model;
let plan: EditPlan;
let steered: Steered;
let edited: Head;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-words-"));
  model = await loadModel(await smallBooks(folder), { threads: 1 });
  plan = await planEdits(model, ["@word:Voldemort=x0.05", " the=x0.5"], { pieces: [2] });
  steered = await steer(model, plan, { corpus: fit, tokens });
  edited = changedHead(model.head, steered.change);
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

/** Probability of one token after others, in plain JavaScript. @param E the head's matrix */
function probability(hidden: Float32Array, E: Float32Array, id: number): number {
  const d = model.hiddenSize;
  const z = Array.from({ length: model.vocabSize }, (_, w) =>
    hidden.reduce((sum, value, i) => sum + value * E[w * d + i]!, 0),
  );
  const largest = Math.max(...z);
  return Math.exp(z[id]! - largest) / z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
}

async function hiddenAfter(ids: readonly number[]): Promise<Float32Array> {
  const { hidden } = await model.forward([...ids]);
  return hidden.subarray(-model.hiddenSize);
}

test("the piece's logit moves behind the pieces before it, in every spelling, and hardly elsewhere", async () => {
  const [word, the] = steered.solution.groups;
  expect(word!.probability.after / word!.probability.before / 0.05).toBeCloseTo(1, 5);
  expect(word!.shortfall).toBeUndefined();
  expect(the!.probability.after / the!.probability.before).toBeCloseTo(0.5, 3);
  const [before, after] = [await readTensor(model.head.weight), await readTensor(edited.weight)];
  const tokenizer = await model.tokenizer();
  const piece = 738;
  const factor = async (text: string) => {
    const hidden = await hiddenAfter(tokenizer.encode(text));
    return probability(hidden, after, piece) / probability(hidden, before, piece);
  };
  for (const text of ["He had spoken to V", "\nV", "the house of V"]) {
    expect(await factor(text)).toBeGreaterThan(0.02);
    expect(await factor(text)).toBeLessThan(0.2);
  }
  for (const text of ["He had spoken to them", "the very old", "the house was cold"]) {
    expect(await factor(text)).toBeGreaterThan(0.3);
    expect(await factor(text)).toBeLessThan(3);
  }
});

test("what is measured is the product over the pieces, and the piece where the word is not begun", async () => {
  const places = 12;
  const [measured, none] = await measureWords(model, edited, plan, unseen, { places, tokens: 400, seed: 3 });
  expect(none).toBeUndefined();
  expect(measured).toMatchObject({ piece: 2, pieces: plan.edits[0]!.word!.pieces });
  const ids = measured!.pieces.map(({ id }) => id);
  const text = await textTokens(model, unseen, { tokens: 400 });
  const matrices = [await readTensor(model.head.weight), await readTensor(edited.weight)];
  const [whole, elsewhere] = [
    [0, 0],
    [0, 0],
  ];
  let contexts = 0;
  for (const beginning of beginningsIn(text, places, 16, 3 + 7919)) {
    const all = [...beginning, ...ids];
    const { hidden } = await model.forward(all);
    const at = (t: number) => hidden.subarray(t * model.hiddenSize, (t + 1) * model.hiddenSize);
    for (const [which, E] of matrices.entries()) {
      whole[which]! += ids.reduce((p, id, k) => p * probability(at(beginning.length - 1 + k), E, id), 1) / places;
      for (let t = Math.max(0, beginning.length - 8); t < beginning.length; t++) {
        elsewhere[which]! += probability(at(t), E, ids[1]!);
        contexts += 1 / 2;
      }
    }
  }
  const relative = (found: number, wanted: number) => expect(found / wanted).toBeCloseTo(1, 4);
  relative(measured!.probability.before, whole[0]!);
  relative(measured!.probability.after, whole[1]!);
  expect(measured!.elsewhere.contexts).toBe(contexts);
  relative(measured!.elsewhere.probability.before, elsewhere[0]! / contexts);
  relative(measured!.elsewhere.probability.after, elsewhere[1]! / contexts);
  expect(measured!.probability.after / measured!.probability.before).toBeLessThan(0.2);
});

test("a ban of a word takes the piece's row in all contexts, and both say what the text holds of them", async () => {
  const bans = await planEdits(model, ["@word:Voldemort=ban"], { pieces: [2] });
  const { solution } = await steer(model, bans, { corpus: fit, tokens: 1000 });
  expect(solution.groups[0]).toMatchObject({ method: "combination", bound: { proven: true } });
  const { uses } = solution.groups[0]!;
  expect(uses!.found).toBe(0);
  expect(solution.warnings).toEqual([
    expect.stringContaining(`"old" is changed in every context, not in " Voldemort" alone`),
  ]);
  expect(steered.solution.warnings).toEqual([
    expect.stringContaining('" Voldemort" stands nowhere in the fitting text'),
  ]);
});

test("words of a text are counted in all spellings, and what else their piece is part of", async () => {
  const tokenizer = await model.tokenizer();
  const [edit] = (await planEdits(model, { "@word:Voldemort": 2 }, { pieces: [3] })).edits as [EditPlan["edits"][0]];
  if (!isWordEdit(edit)) throw new Error("is no word");
  const said = "Voldemort said that Voldemort them, and a demon. Item: Vold em\nVoldemort's system";
  const tokenIds = Int32Array.from(tokenizer.encode(said));
  const whole = { tokenIds, windowStarts: Int32Array.of(0, tokenIds.length) };
  const { found, others } = usesInText(edit, whole, tokenizer);
  expect(found).toBe(3);
  const inText = [...tokenIds].filter((id) => id === 445).length - 3;
  expect(others.reduce((sum, { count }) => sum + count, 0)).toBe(inText);
  for (const { text } of others) expect(said).toContain(text);
  // A window's end in the midst of the word hides it.
  const cut = tokenIds.indexOf(738) + 1;
  expect(usesInText(edit, { tokenIds, windowStarts: Int32Array.of(0, cut, tokenIds.length) }, tokenizer).found).toBe(2);
});

test("contexts behind beginnings are the model's own, and those that end in a sequence are marked", async () => {
  const splices = [
    { before: Int32Array.of(5, 9, 11), sequence: [20, 21] },
    { before: Int32Array.of(7), sequence: [20] },
    { before: Int32Array.of(8, 3), sequence: [21, 20] },
  ];
  const { last, marked, count, read } = await splicedContexts(model, splices, [[20, 21], [8]], 2);
  expect(count).toBe(4 + 2 + 4);
  for (const [i, { before, sequence }] of splices.entries()) {
    const ids = [...before, ...sequence];
    const wanted = await hiddenAfter(ids);
    const found = await read(last[i]!, last[i]! + 1);
    for (const [k, value] of found.entries()) expect(value).toBeCloseTo(wanted[k]!, 3);
    expect(marked[last[i]!]).toBe(i === 0 ? 1 : 0);
  }
  expect(marked.reduce((sum, mark) => sum + mark, 0)).toBe(2);
  const text = { tokenIds: Int32Array.of(1, 2, 1, 2, 2, 1), windowStarts: Int32Array.of(0, 3, 6) };
  expect([
    ...endsOf(text, [
      [1, 2],
      [2, 2, 1],
    ]),
  ]).toEqual([0, 1, 0, 0, 0, 1]);
});

test("a factor that no probability has is refused", async () => {
  const likelier = await planEdits(model, ["@word:Voldemort=x1e9"], { pieces: [2] });
  await expect(steer(model, likelier, { corpus: fit, tokens: 500 })).rejects.toThrow(
    /edits: after the pieces before it the piece has a probability of .*; 1000000000 times that is no probability/,
  );
});
