import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { smallBooks } from "../../test/support/small-books.js";
import { analyze } from "../encoding/analyze.js";
import { storeText } from "../model/contexts/store-text.js";
import { corpus } from "../node/corpus/corpus-files.js";
import { nodeHost } from "../node/explore/host.js";
import { defaultCorpus, loadModel } from "../node/load-model.js";
import { planEdits } from "../steering/plan/edit-plan.js";
import { textProbes } from "../steering/probes/text-probes.js";
import { steer } from "../steering/steer.js";
import { readAddress } from "./address.js";
import { createExplorer, type Explorer } from "./explorer.js";
import type { FigureData } from "./figures.js";
import type { FileOffer } from "./protocol.js";

const tokens = 512;
let folder: string;
let explorer: Explorer;
const figures = new Map<string, FigureData | null>();
const files: FileOffer[] = [];

const figure = <Name extends FigureData["name"]>(name: Name) =>
  figures.get(name) as Extract<FigureData, { name: Name }>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "explore-"));
  const model = await smallBooks(join(folder, "model"), 512, 32);
  explorer = createExplorer(nodeHost({ models: [model], threads: 1 }));
  explorer.subscribe((message) => {
    if (message.type === "figure") figures.set(message.name, message.figure);
    if (message.type === "file") files.push(message.file);
  });
  explorer.send({ type: "open-model", model: { kind: "offered", name: model } });
  explorer.send({ type: "open-text", text: { kind: "offered", name: "books" }, tokens });
  await explorer.settled();
});

afterAll(async () => {
  await explorer.close();
  await rm(folder, { recursive: true });
});

test("what is read is what analyze reads, and a solve on release is steer's own", async () => {
  const library = await loadModel(join(folder, "model"), { threads: 1 });
  const books = corpus(defaultCorpus);
  const { encoding } = await analyze(library, books, { tokens });
  expect(explorer.state).toMatchObject({ problem: null, text: { complete: true, contexts: tokens } });
  expect(explorer.state.text!.numbers!.r2).toBe(encoding.r2);

  explorer.send({ type: "add-edit", selector: " the" });
  explorer.send({ type: "release", edit: 0, position: 0.5 });
  await explorer.settled();
  const contexts = await storeText(library, books, { tokens });
  const probes = await textProbes(library, { fit: books }, { most: 4096 });
  const plan = await planEdits(library, [{ token: " the", spec: 0.5 }]);
  const { solution } = await steer(library, plan, { corpus: books, contexts, probes, allowUnsafe: true });
  const { before, wanted, after } = solution.groups[0]!.probability;
  const [edit] = explorer.state.edits;
  expect(Math.abs(edit!.before! / before - 1)).toBeLessThan(1e-6);
  expect(Math.abs(edit!.solved!.wanted / wanted - 1)).toBeLessThan(1e-6);
  expect(Math.abs(edit!.solved!.after / after - 1)).toBeLessThan(1e-6);
  await library.close();
});

test("a moving slider is answered at once, near what the exact solve then finds", async () => {
  explorer.send({ type: "set-prompt", prompt: "It was" });
  explorer.send({ type: "add-edit", selector: " a" });
  await explorer.settled();
  expect(explorer.state.text!.slidersLive).toBe(true);
  for (const [sequence, position] of [3, 0.02, 1 / 4].entries()) {
    explorer.send({ type: "slide", edit: 1, position, sequence });
  }
  await explorer.settled();
  const live = figure("live");
  // Only the newest position is answered.
  expect(live).toMatchObject({ sequence: 2, edit: 1, position: 0.25 });
  expect(live.probability[1]!.after / live.probability[1]!.before).toBeCloseTo(0.25, 8);
  explorer.send({ type: "release", edit: 1, position: 0.25 });
  await explorer.settled();
  const { kl } = figure("solved");
  expect(Math.abs(live.kl / kl - 1)).toBeLessThan(0.05);
  for (const { id, after } of figure("prompt").choices) {
    const moved = live.prompt!.choices.find((choice) => choice.id === id);
    if (moved !== undefined && after > 0.01) expect(Math.abs(moved.after / after - 1)).toBeLessThan(0.1);
  }
});

test("a size is answered by the curve and measured on release; texts, tables and plans can be taken home", async () => {
  explorer.send({ type: "go", room: "shrink" });
  await explorer.settled();
  explorer.send({ type: "slide-shrink", size: { kept: 32, rescore: 0 }, sequence: 1 });
  await explorer.settled();
  // With every direction kept the prompt's distribution is the model's own.
  expect(figure("shrink-live").prompt!.kl).toBeLessThan(1e-5);
  explorer.send({ type: "release-shrink", size: { kept: 16, rescore: 0 } });
  explorer.send({ type: "set-trim", vocabSize: 400 });
  explorer.send({ type: "show-token", id: 300 });
  explorer.send({ type: "search", query: "th" });
  explorer.send({
    type: "write",
    writing: { tokens: 8, seed: 1, temperature: 1, topK: null, topP: null },
    of: "steer",
  });
  await explorer.settled();
  expect(explorer.state.problem).toBeNull();
  const { measured } = explorer.state.shrink!;
  expect(measured!.kl).toBeCloseTo(figure("shrink").curve.find(({ deleted }) => deleted === 16)!.kl, 4);
  expect(measured!.multiplications.after).toBe(512 * 16 + 16 * 32);
  expect(explorer.state.trim!.kept).toBeLessThanOrEqual(400);
  const token = figure("token");
  const sum = token.contributions.reduce((total, value) => total + value, token.base);
  expect(Math.exp(-sum)).toBeCloseTo(token.fitted, 6);
  expect(token.passages[0]!.probability).toBeGreaterThanOrEqual(token.probability);
  expect(figure("found").total).toBeGreaterThan(1);
  expect(figure("texts")).toMatchObject({ of: "steer", prompt: "It was", seed: 1, complete: true });

  const { available, command } = explorer.state.home;
  expect(command).toContain("reduce");
  expect(available).not.toContain("gguf");
  for (const what of available) {
    explorer.send({ type: "take-home", what });
    await explorer.settled();
  }
  expect(explorer.state.problem).toBeNull();
  const names = files.map((file) => file.name);
  expect(names).toEqual(
    expect.arrayContaining(["head.safetensors", "model.safetensors", "edits.json", "trim.json", "tokens.csv"]),
  );

  // The plan opens again as the same choices.
  const { edits } = explorer.state.choices;
  const plan = files.find((file) => file.name === "edits.json")!;
  explorer.send({ type: "remove-edit", edit: 0 });
  explorer.send({ type: "load-plan", file: { path: "edits.json", content: plan.parts[0]! } });
  await explorer.settled();
  expect(explorer.state.choices.edits).toEqual(edits);
});

test("what cannot be done is one sentence, and the explorer goes on", async () => {
  const asked = [
    [{ type: "add-edit", selector: "no such token at all" }, "add-edit"],
    [{ type: "add-edit", selector: " the" }, "add-edit"],
    [{ type: "open-text", text: { kind: "offered", name: "/etc/passwd" } }, "text"],
    [{ type: "compare", model: { kind: "offered", name: "/etc" } }, "compare"],
    [{ type: "slide", edit: 0, position: 1e9, sequence: 1 }, "action"],
    [{ type: "release", edit: 99, position: 1 }, "release"],
  ] as const;
  for (const [action, during] of asked) {
    explorer.send({ type: "dismiss-problem" });
    explorer.send(action as never);
    await explorer.settled();
    expect(explorer.state.problem?.during).toBe(during);
    expect(explorer.state.problem!.message).not.toMatch(/something failed|\n/);
  }
});

test("whatever is done, undo and redo lead exactly back and forth", async () => {
  explorer.send({
    type: "open-text",
    text: { kind: "own", text: "It was the best of times. ".repeat(60) },
    tokens: 64,
  });
  explorer.send({ type: "stop" });
  await explorer.settled();
  const action = fc.oneof(
    fc.record({ type: fc.constant("set-prompt" as const), prompt: fc.constantFrom("It", "was", "") }),
    fc.record({
      type: fc.constant("add-edit" as const),
      selector: fc.constantFrom(" the", " of", "id:300", "id:9999"),
    }),
    fc.record({ type: fc.constant("remove-edit" as const), edit: fc.nat(3) }),
    fc.record({
      type: fc.constant("release" as const),
      edit: fc.nat(2),
      position: fc.constantFrom(0.5, 2, "ban" as const),
    }),
    fc.record({ type: fc.constant("set-trim" as const), vocabSize: fc.constantFrom(null, 300) }),
    fc.constantFrom({ type: "undo" as const }, { type: "redo" as const }, { type: "stop" as const }),
    fc.constantFrom({ type: "keep" as const, name: "k" }, { type: "show-kept" as const, index: 0 }),
    fc.record({ type: fc.constant("go" as const), room: fc.constantFrom("read" as const, "steer" as const) }),
  );
  const settle = async () => {
    explorer.send({ type: "stop" });
    await explorer.settled();
  };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 8 }), async (actions) => {
      for (const one of actions) explorer.send(one);
      await settle();
      const { choices, edits, problem } = explorer.state;
      expect(edits.length).toBe(choices.edits.length);
      expect(problem?.message ?? "").not.toContain("something failed");
      expect(readAddress(explorer.state.address).choices).toEqual(choices);
      let steps = 0;
      while (explorer.state.canUndo && steps < 3) {
        explorer.send({ type: "undo" });
        await settle();
        steps++;
      }
      for (let step = 0; step < steps; step++) explorer.send({ type: "redo" });
      await settle();
      expect(explorer.state.choices).toEqual(choices);
    }),
    { numRuns: 2, seed: 7 },
  );
});
