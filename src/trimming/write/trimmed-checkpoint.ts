import { weightFiles } from "../../export/edited-checkpoint.js";
import type { ModelFile } from "../../export/model-files.js";
import { idMapFile } from "../../model/id-map.js";
import type { Model } from "../../model/model.js";
import { chosenRows } from "../../tensor/chosen-rows.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { rowsAfter, type TrimPlan, trimmableTokenizer } from "../plan/trim-plan.js";
import { trimmedBesideFiles } from "./beside-files.js";

/** A model without some tokens, as files. */
export interface TrimmedCheckpoint {
  readonly files: ModelFile[];
  /** The old id of each row, -1 for padding, [V']. */
  readonly oldIds: Int32Array;
  /** Files of the original that say the same as tokenizer.json and could not follow. */
  readonly leftOut: readonly string[];
  /** Whether the tokenizer gives any text back as it went in. */
  readonly readsEverything: boolean;
}

/**
 * The files of a model without the rows of tokens that go: E, its bias and the input embedding have the rows of the kept tokens
 * in their old order, padding after them; the tokenizer and every id in the files beside follow; all other tensors stay byte for
 * byte.
 *
 *     const { files, oldIds } = await trimVocabulary(model, plan);
 *
 * @throws InputError if a file cannot be followed
 */
export async function trimVocabulary(model: Model, plan: TrimPlan): Promise<TrimmedCheckpoint> {
  const { kept, padding } = plan;
  const newIds = new Map(Array.from(kept, (old, id) => [old, id]));
  const rows = rowsAfter(plan);
  const oldIds = new Int32Array(rows).fill(-1);
  oldIds.set(kept);
  const sources = oldIds.map((old) => (old < 0 ? padding!.like : old));
  const changes = new Map(
    [...rowTensors(model)].map(([name, tensor]) => [name, { ...chosenRows(tensor, sources), name }]),
  );
  const tokenizer = await trimmableTokenizer(model);
  const beside = await trimmedBesideFiles(model, tokenizer, newIds, rows);
  const idMap = writeSafetensors([
    { name: "old_ids", dtype: "I64", shape: [rows], data: BigInt64Array.from(oldIds, BigInt) },
  ]);
  const files: ModelFile[] = [...beside.files, [idMapFile, idMap], ...(await weightFiles(model.tensors, changes))];
  return { files, oldIds, leftOut: beside.leftOut, readsEverything: tokenizer.rules.readsEverything };
}

/** The tensors that have a row a token, by name: a tied pair may be stored under two. */
export function rowTensors({ tensors, head, headName, description }: Model): Map<string, TensorEntry> {
  const known = [head.weight, description.inputEmbedding, ...(head.bias ? [head.bias] : [])];
  const isRows = (name: string, tensor: TensorEntry) =>
    known.some(({ source, offset }) => tensor.source === source && tensor.offset === offset) ||
    (name === headName && tensor.shape[0] === head.vocabSize);
  return new Map([...tensors].filter(([name, tensor]) => isRows(name, tensor)));
}
