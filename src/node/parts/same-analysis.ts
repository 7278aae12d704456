import { InputError } from "../../errors.js";
import type { PartsIdentity } from "./part-file.js";

/** What a part that is of something else is of. */
const differences: Record<keyof PartsIdentity, string> = {
  partVersion: "was written by a version of unembed whose sums mean something else",
  unembed: "was written by another version of unembed",
  model: "is of another model",
  corpus: "is of another text",
  contextLength: "is of windows of another length",
  beginOfText: "is of windows that begin with other tokens",
  tokens: "is of another share of the text",
  windows: "is of another number of windows",
  parts: "is one of another number of parts",
};

/** @throws InputError if a part is of another analysis: its sums may not be added to the others', nor overwritten */
export function requireSameAnalysis(path: string, identity: PartsIdentity, wanted: PartsIdentity): void {
  const fields = Object.keys(wanted) as (keyof PartsIdentity)[];
  const field = fields.find((name) => JSON.stringify(identity[name]) !== JSON.stringify(wanted[name]));
  if (field !== undefined) throw new InputError(path, differences[field]);
}
