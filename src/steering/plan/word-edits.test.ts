import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { smallBooks } from "../../../test/support/small-books.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { Model } from "../../model/model.js";
import { loadModel } from "../../node/load-model.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { planEdits, readEditPlan } from "./edit-plan.js";
import { savedPlan } from "./saved-plan.js";
import { wordSpellings } from "./word-spellings.js";

let folder: string;
let model: Model;
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-words-"));
  model = await loadModel(await smallBooks(folder), { threads: 1 });
  tokenizer = await model.tokenizer();
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

const textsOf = (tokens: readonly { text: string }[] | undefined) => tokens?.map(({ text }) => text);

describe("a word of several tokens", () => {
  test("is planned as an edit of one of its pieces, with those before it", async () => {
    const [edit, ...others] = (await planEdits(model, ["@word:Voldemort=x0.01"], { pieces: [3] })).edits;
    expect(others).toEqual([]);
    expect(edit).toMatchObject({ label: "@word:Voldemort=x0.01", target: { scale: 0.01 } });
    expect([textsOf(edit!.tokens), textsOf(edit!.prefix)]).toEqual([["em"], [" V", "old"]]);
    expect(textsOf(edit!.word!.pieces)).toEqual([" V", "old", "em", "ort"]);
    expect([edit!.word!.text, edit!.word!.piece]).toEqual([" Voldemort", 3]);
    expect(edit!.word!.alsoAfter!.map(textsOf)).toEqual([
      ["V", "old"],
      ["\n", "V", "old"],
    ]);
    expect(edit!.notes).toEqual([
      'the pieces of " Voldemort" are " V" "old" "em" "ort": number 3 is edited, after " V" "old"',
    ]);
  });

  test("is edited at the piece that is least likely in texts of random tokens, unless one is chosen", async () => {
    const [edit] = (await planEdits(model, { "@word:Voldemort": 0.01 })).edits;
    const { logits } = await model.forward([5, 300, 17, 900, 640, 23, 777, 71], { logits: true });
    const { vocabSize: V } = model;
    const likely = (id: number) => {
      let sum = 0;
      for (let t = 0; t < 8; t++) {
        const z = logits!.subarray(t * V, (t + 1) * V);
        sum += Math.exp(z[id]!) / z.reduce((total, value) => total + Math.exp(value), 0);
      }
      return sum;
    };
    const pieces = edit!.word!.pieces.slice(1);
    const rarest = pieces.reduce((best, piece) => (likely(piece.id) < likely(best.id) ? piece : best));
    expect(edit!.tokens).toEqual([rarest]);
  });

  test("shares a target between several pieces", async () => {
    const scales = (await planEdits(model, { "@word:Voldemort": 0.01 }, { pieces: [2, 4] })).edits;
    expect(scales.map(({ target }) => target)).toEqual([{ scale: 0.1 }, { scale: 0.1 }]);
    expect(scales.map(({ tokens }) => tokens[0]!.text)).toEqual(["old", "ort"]);
    const odds = (await planEdits(model, ["@word:Voldemort=-3"], { pieces: [2, 3, 4] })).edits;
    expect(odds.map(({ target }) => target)).toEqual(Array(3).fill({ logOdds: -1 }));
    const bans = (await planEdits(model, ["@word:Voldemort=ban"], { pieces: [1, 2] })).edits;
    expect(bans.map(({ target }) => target)).toEqual([{ ban: true }, { ban: true }]);
  });

  test("in quotes, or with its own space, is taken as it is written", async () => {
    const spelled = (word: string) => {
      const [main] = wordSpellings(word.replaceAll('"', ""), word.startsWith('"'), tokenizer, "here");
      return main!.text;
    };
    expect(['"Voldemort"', " Voldemort", "\nVoldemort", "Voldemort", "伏地魔"].map(spelled)).toEqual([
      "Voldemort",
      " Voldemort",
      "\nVoldemort",
      " Voldemort",
      "伏地魔",
    ]);
    const [edit] = (await planEdits(model, ['@word:"Voldemort"=x0.1'], { pieces: [2] })).edits;
    expect([edit!.word!.text, textsOf(edit!.prefix)]).toEqual(["Voldemort", ["V"]]);
    expect(edit!.word!.alsoAfter!.map(textsOf)).toEqual([[" V"], ["\n", "V"]]);
  });

  test("has the spelling named that does not hold the piece", async () => {
    const [edit] = (await planEdits(model, ["@word:Voldemort=x0.1"], { pieces: [1] })).edits;
    expect(edit!.prefix).toEqual([]);
    expect(edit!.notes).toEqual([
      'the pieces of " Voldemort" are " V" "old" "em" "ort": the first is edited, which has none before it, in every context',
      'as "Voldemort" it is "V" "old" "em" "ort", which is not edited: @word:"Voldemort" is',
    ]);
  });

  test("is saved with its plan and read again; without what fits together it is refused", async () => {
    const plan = await planEdits(model, ["@word:Voldemort=x0.01", " the=x0.5"], { pieces: [2] });
    const read = (value: unknown) => readEditPlan(bytesSource("p.json", Buffer.from(JSON.stringify(value))), model);
    expect(await read(savedPlan(plan))).toEqual(plan);
    const changed = (change: object) => {
      const [edit, ...others] = savedPlan(plan).edits;
      return read({ ...savedPlan(plan), edits: [{ ...edit, ...change }, ...others] });
    };
    await expect(changed({ prefix: [] })).rejects.toThrow(/edits\.0: names a word whose pieces are not its prefix/);
    await expect(changed({ word: undefined })).rejects.toThrow(/edits\.0: names a word whose pieces/);
    const word = { ...plan.edits[0]!.word!, alsoAfter: [[{ id: 54, text: "W" }]] };
    await expect(changed({ word })).rejects.toThrow(/edits\.0: id 54 is "V", not "W"/);
    await expect(read({ ...savedPlan(plan), method: "mean", guard: undefined })).rejects.toThrow(
      /edits\.0: is of a word of several tokens, which only the method nearest edits, not mean/,
    );
  });
});

test.each<[string, RegExp, number[]?]>([
  ["@word:=x2", /names an empty word/],
  ['@word:"  "=ban', /names an empty word/],
  ["@word:the=x2", /word "the": is one token, " the" \(id:261\): name it plainly, as " the" or id:261$/],
  ["@word:Ivan<|endoftext|>=x2", /cannot be spelled by the model's tokenizer without "<\|endoftext\|>"/],
  ["@word:Voldemort=p=0.1", /asks for a mean probability, which a word of several tokens has not/],
  ["@word:Voldemort=x2", /^pieces: is 5; " Voldemort" has the pieces 1 " V", 2 "old", 3 "em", 4 "ort"/, [5]],
  ["@word:Voldemort=x2", /^pieces: is 0;/, [0]],
  ["Voldemort=x2", /is 4 tokens: .*as a word of several tokens it is @word:Voldemort/],
])("%s is refused", async (edit, message, pieces) => {
  await expect(planEdits(model, [edit], { pieces })).rejects.toThrow(message);
});

test("a token that is edited plainly may not be a word's piece too", async () => {
  await expect(planEdits(model, ["@word:Voldemort=x0.1", "em=x2"], { pieces: [3] })).rejects.toThrow(/edited twice/);
});
