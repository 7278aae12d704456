import { tokensCsv } from "../../encoding/tokens-csv.js";
import { InputError } from "../../errors.js";
import { editedCheckpoint } from "../../export/edited-checkpoint.js";
import { editedGguf } from "../../export/edited-gguf.js";
import { type ModelFile, pieces } from "../../export/model-files.js";
import { changedHead } from "../../model/head/changed-head.js";
import { reductionPlanFiles, serializeReductionPlan } from "../../reduction/plan/plan-files.js";
import { savedPlan } from "../../steering/plan/saved-plan.js";
import { layOutSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { serializeTrimPlan } from "../../trimming/plan/trim-plan.js";
import type { TakeHome } from "../actions.js";
import { encodeMessage } from "../codec.js";
import { type Desk, solvedNow } from "../desk.js";
import type { FileOffer } from "../protocol.js";
import { planAt } from "../shrink/shrink-room.js";
import { trimPlanOf } from "../trim-room.js";
import type { OnStep } from "../work.js";

const text = (contents: string) => [new TextEncoder().encode(contents)];
const binary = "application/octet-stream";

/** What there is to take home now. */
export function availableOf(desk: Desk): TakeHome[] {
  const { model, read, shrinking, store } = desk;
  const { choices } = store.state;
  const solved = solvedNow(desk) !== undefined;
  const all: [TakeHome, boolean][] = [
    ["head", solved],
    ["model", solved && model?.hasOrdinaryHead === true],
    ["gguf", solved && store.state.model?.gguf === true],
    ["edit-plan", solved],
    ["reduction-plan", shrinking !== undefined && choices.shrink !== null],
    ["trim-plan", read !== undefined && choices.trim !== null],
    ["tokens-csv", read !== undefined],
    ["edits-csv", solved],
    ["curve-csv", shrinking !== undefined],
    ["figures-json", store.figures().length > 0],
  ];
  return all.flatMap(([what, isThere]) => (isThere ? [what] : []));
}

/** The files of one thing to take home. @throws InputError if it is not there, or cannot be written as that */
export async function filesToTake(
  desk: Desk,
  what: TakeHome,
  signal: AbortSignal,
  onStep: OnStep,
): Promise<FileOffer[]> {
  if (!availableOf(desk).includes(what)) throw new InputError(what, "is not there yet: choose something first");
  const { store, shrinking } = desk;
  const [model, read, solve] = [desk.model!, desk.read!, solvedNow(desk)!];
  switch (what) {
    case "head": {
      const { weight, bias } = changedHead(model.head, solve.change);
      const tensors = [{ ...weight, name: model.headName }, ...(solve.change.bias && bias ? [bias] : [])];
      const file = layOutSafetensors(tensors, { format: "pt" });
      const parts = async function* () {
        yield file.header;
        for (const { source, offset, byteLength } of file.tensors) yield* pieces(source, offset, byteLength);
      };
      return [await offered(["head.safetensors", parts()], signal, onStep)];
    }
    case "model":
      return offeredAll(await editedCheckpoint(model, solve.change), signal, onStep);
    case "gguf": {
      const plan = JSON.stringify(savedPlan(solve.plan));
      return offeredAll(await editedGguf(model, { change: solve.change, plan }), signal, onStep);
    }
    case "edit-plan":
      return [json("edits.json", savedPlan(solve.plan))];
    case "reduction-plan": {
      const { plan, arrays } = serializeReductionPlan(
        await planAt(model, read, shrinking!, store.state.choices.shrink!, signal),
      );
      return [
        { name: reductionPlanFiles.plan, mediaType: "application/json", parts: text(plan) },
        { name: reductionPlanFiles.arrays, mediaType: binary, parts: arrays.map(owned) },
      ];
    }
    case "trim-plan":
      return [
        { name: "trim.json", mediaType: "application/json", parts: text(serializeTrimPlan((await trimPlanOf(desk))!)) },
      ];
    case "tokens-csv":
      return [csv("tokens.csv", tokensCsv(read.analysis))];
    case "edits-csv":
      return [csv("edits.csv", editsCsv(desk))];
    case "curve-csv":
      return [csv("curve.csv", tableOf(shrinking!.curve))];
    case "figures-json":
      return [{ name: "figures.json", mediaType: "application/json", parts: text(encodeMessage(store.figures())) }];
  }
}

function editsCsv({ store }: Desk): string {
  const { choices, edits } = store.state;
  return tableOf(
    edits.map(({ before, solved }, index) => ({
      selector: choices.edits[index]!.selector,
      position: choices.edits[index]!.position,
      ...{ before, wanted: solved?.wanted ?? null, after: solved?.after ?? null, size: solved?.size ?? null },
    })),
  );
}

/** Rows of one kind as a table (RFC 4180). */
function tableOf(rows: readonly object[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value: unknown) =>
    typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : String(value ?? "");
  const lines = rows.map((row) => Object.values(row).map(cell).join(","));
  return [names.join(","), ...lines, ""].join("\r\n");
}

const json = (name: string, value: unknown): FileOffer => ({
  ...{ name, mediaType: "application/json" },
  parts: text(`${JSON.stringify(value, undefined, 2)}\n`),
});

const csv = (name: string, contents: string): FileOffer => ({ name, mediaType: "text/csv", parts: text(contents) });

async function offeredAll(files: readonly ModelFile[], signal: AbortSignal, onStep: OnStep): Promise<FileOffer[]> {
  const offers: FileOffer[] = [];
  for (const file of files) offers.push(await offered(file, signal, onStep));
  return offers;
}

async function offered([name, contents]: ModelFile, signal: AbortSignal, onStep: OnStep): Promise<FileOffer> {
  const mediaType = name.endsWith(".json") ? "application/json" : binary;
  if (typeof contents === "string") return { name, mediaType, parts: text(contents) };
  if (contents instanceof Uint8Array) return { name, mediaType, parts: [owned(contents)] };
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const part of contents) {
    signal.throwIfAborted();
    parts.push(owned(part));
    bytes += part.length;
    onStep(bytes, null, "bytes");
  }
  return { name, mediaType, parts };
}

/** Bytes that nobody else's buffer holds: they may be handed over. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);
