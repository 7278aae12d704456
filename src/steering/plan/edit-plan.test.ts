import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import { loadModel } from "../../node/load-model.js";
import { bytesSource } from "../../tensor/byte-source.js";
import type { Edits } from "./edit-list.js";
import { planEdits, readEditPlan } from "./edit-plan.js";
import { type EditPlan, savedPlan } from "./saved-plan.js";

let model: Model;
let tokenizer: Tokenizer;
beforeAll(async () => {
  model = await loadModel("tiny-books", { threads: 1 });
  tokenizer = await model.tokenizer();
});
afterAll(() => model.close());

const stored = (plan: unknown) => bytesSource("plan.json", new TextEncoder().encode(JSON.stringify(plan)));

/** The model with another tokenizer. */
const speaking = (other: Partial<Tokenizer>): HeadModel => ({
  ...model,
  tokenizer: async () => ({ ...tokenizer, ...other }),
});

describe("edits are planned", () => {
  test("alike from a list and an object", async () => {
    const wanted = [
      { target: { scale: 0.5 }, tokens: [{ id: 261, text: " the" }] },
      { target: { ban: true }, tokens: [{ id: 3, text: tokenizer.tokenText(3) }] },
    ];
    const forms: Edits[] = [
      [" the=x0.5", "id:3=ban"],
      [
        { token: " the", spec: 0.5 },
        { token: "id:3", spec: "ban" },
      ],
      { " the": 0.5, "id:3": "ban" },
    ];
    for (const edits of forms) expect((await planEdits(model, edits)).edits).toMatchObject(wanted);
    expect((await planEdits(model, { " the": 0.5 })).edits[0]!.label).toBe(" the=x0.5");
  });

  test("for a set together or for each of its tokens", async () => {
    const set = "/^ (sea|ship)$/=x2";
    expect((await planEdits(model, [set])).edits.map(({ tokens }) => tokens.length)).toEqual([2]);
    expect((await planEdits(model, [set], { each: true })).edits.map(({ tokens }) => tokens.length)).toEqual([1, 1]);
  });

  test("and read again from their file, alone or beside what was measured", async () => {
    const plan = await planEdits(model, { " the": 0.5 }, { method: "salient", salient: 3 });
    expect(await readEditPlan(stored(plan), model)).toEqual(plan);
    expect(await readEditPlan(stored({ unembed: "1", plan }), model)).toEqual(plan);
    const { salient: _, ...rest } = plan;
    const changes = { method: "constant", exact: true, lambda: 1e-5 } as const;
    expect(await readEditPlan(stored(plan), model, changes)).toEqual({ ...rest, ...changes });
  });

  test("and are saved under the names of the file's first version", async () => {
    const plan = await planEdits(model, { " the": 0.5 }, { lambda: 1e-3 });
    expect(plan).toMatchObject({ lambda: 1e-3, fixedLambda: true });
    const saved = savedPlan(plan);
    expect(Object.keys(saved)).toEqual([
      "schema",
      "schemaVersion",
      "vocabulary",
      "method",
      "size",
      "fixedSize",
      "calibrate",
      "guard",
      "edits",
    ]);
    expect(saved).toMatchObject({ size: 1e-3, fixedSize: true });
    expect(await readEditPlan(stored(saved), model)).toEqual(plan);
    // As version 1 had it, with nothing of its own in an edit: written again it is one of version 2.
    expect(await readEditPlan(stored({ ...saved, schemaVersion: 1 }), model)).toEqual(plan);
    await expect(readEditPlan(stored({ ...saved, schemaVersion: 3 }), model)).rejects.toThrow("field schemaVersion");
    expect(savedPlan(await planEdits(model, { " the": 0.5 }))).not.toHaveProperty("fixedSize");
  });

  test("and say whether they are guarded, which is of the method nearest", async () => {
    const usual = await planEdits(model, { " the": 0.5 });
    const alone = await planEdits(model, { " the": 0.5 }, { guard: false });
    expect([usual.guard, alone.guard]).toEqual([true, false]);
    expect((await readEditPlan(stored(alone), model)).guard).toBe(false);
    expect((await readEditPlan(stored(alone), model, { guard: true })).guard).toBe(true);
    expect((await readEditPlan(stored(alone), model, { method: "mean" })).guard).toBeUndefined();
    expect((await planEdits(model, { " the": 0.5 }, { method: "mean" })).guard).toBeUndefined();
  });
});

describe("vocabularies are told apart", () => {
  test("also where two pieces of characters, which are shown alike, change places", async () => {
    const plan = await planEdits(model, { " the": 0.5 });
    expect(plan.vocabulary.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect([tokenizer.tokenText(95), tokenizer.tokenText(96)]).toEqual(["\ufffd", "\ufffd"]);
    const swap = (id: number) => (id === 95 ? 96 : id === 96 ? 95 : id);
    const swapped = speaking({ entry: (id) => tokenizer.entry(swap(id)) });
    await expect(readEditPlan(stored(plan), swapped)).rejects.toThrow(/plan\.json: is a plan for another vocabulary/);
    expect(await readEditPlan(stored(plan), speaking({}))).toEqual(plan);
  });
});

describe("what contradicts itself or the model is refused", () => {
  test.each<[string, Edits, Parameters<typeof planEdits>[2], RegExp]>([
    ["no edit", [], {}, /^edits: none is given/],
    ["one token twice", { " the": 2, "/^ the$/": 3 }, {}, /token " the" \(id:261\) is edited twice/],
    ["a factor of 0", { " the": 0 }, {}, /^edit " the=x0": scales by 0/],
    ["a factor that is none", { " the": Number.NaN }, {}, /scales by NaN/],
    ["a target that is none", { " the": "half" }, {}, /"half" is no SPEC; it is x0.5/],
    [
      "probabilities of more than 1",
      { " the": "p=0.6", " a": "p=0.6" },
      {},
      /^edits: the probabilities .* add up to 1.2/,
    ],
    ["lists, where none can be read", { "@file:x": 2 }, {}, /^x: lists of tokens cannot be read here/],
    ["a lambda of 0", { " the": 2 }, { lambda: 0 }, /^lambda: is 0/],
    ["too many dimensions", { " the": 2 }, { method: "salient", salient: 257 }, /^salient: is 257; tiny-books has 256/],
    ["dimensions of another method", { " the": 2 }, { salient: 2 }, /^salient: is for the method salient/],
    ["exact, of another method", { " the": 2 }, { exact: true }, /^exact: is for the method constant/],
    [
      "a place of its own",
      [{ token: "xylo", spec: 2, place: "list.yaml: line 3" }],
      {},
      /^list\.yaml: line 3: token "xylo"/,
    ],
  ])("%s", async (_, edits, options, message) => {
    await expect(planEdits(model, edits, options)).rejects.toThrow(message);
  });

  test.each<[string, (plan: EditPlan) => unknown, RegExp]>([
    ["another kind of file", () => ({}), /^plan\.json: field schema/],
    ["a field that is not known", (plan) => ({ ...plan, sise: 1 }), /sise/],
    ["a size of 0", (plan) => ({ ...savedPlan(plan), size: 0 }), /field size/],
    [
      "a target of 0",
      (plan) => ({ ...plan, edits: [{ ...plan.edits[0], target: { scale: 0 } }] }),
      /^plan\.json: edits\.0: scales by 0/,
    ],
    [
      "an id that is no token",
      (plan) => ({ ...plan, edits: [{ ...plan.edits[0], tokens: [{ id: 9000, text: "" }] }] }),
      /id 9000, which is no token/,
    ],
    [
      "an id of another text",
      (plan) => ({ ...plan, edits: [{ ...plan.edits[0], tokens: [{ id: 262, text: " the" }] }] }),
      /edits\.0: id 262 is .*, not " the"/,
    ],
    [
      "one token twice",
      (plan) => ({ ...plan, edits: [...plan.edits, ...plan.edits] }),
      /edits\.1: token " the" .* is edited twice/,
    ],
  ])("%s, in a file", async (_, change, message) => {
    const plan = await planEdits(model, { " the": 0.5 });
    await expect(readEditPlan(stored(change(plan)), model)).rejects.toThrow(message);
  });
});
