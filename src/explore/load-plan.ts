import { InputError } from "../errors.js";
import type { Model } from "../model/model.js";
import { planSchema as reductionSchema } from "../reduction/plan/reduction-plan.js";
import { readEditPlan } from "../steering/plan/edit-plan.js";
import { editParts } from "../steering/plan/edit-spec.js";
import { bytesSource } from "../tensor/byte-source.js";
import { parseStrictJson } from "../tensor/strict-json.js";
import type { DroppedFile, Position } from "./actions.js";
import type { Choices, ChosenEdit } from "./state.js";

/** A plan of every token of the largest vocabularies. */
const maxBytes = 2 ** 27;

/** Bytes of a file that was dropped. @throws InputError if it is larger than a plan can be */
async function bytesOf({ path, content }: DroppedFile): Promise<Uint8Array<ArrayBuffer>> {
  const size = content instanceof Uint8Array ? content.length : content.size;
  if (size > maxBytes) throw new InputError(path, "is too large to be a plan");
  return content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
}

/**
 * The choices that a plan of `steer` or `reduce` stands for.
 * @throws InputError naming what the page's sliders cannot show
 */
export async function choicesOfPlan(model: Model, file: DroppedFile, choices: Choices): Promise<Choices> {
  const source = bytesSource(file.path, await bytesOf(file));
  const json = parseStrictJson(file.path, "plan", await source.read(0, source.size));
  const reduction = reductionSchema.safeParse(json);
  if (reduction.success) {
    const { kept, rescore = 0 } = reduction.data;
    return { ...choices, shrink: { kept, rescore } };
  }
  const { edits, method, lambda } = await readEditPlan(source, model);
  const chosen = new Map<string, ChosenEdit>();
  for (const { label, target, tokens } of edits) {
    const named = editParts(label)?.token;
    const selectors = named === undefined ? tokens.map(({ id }) => `id:${id}`) : [named];
    for (const selector of selectors)
      chosen.set(selector, { selector, position: positionOf(file.path, label, target) });
  }
  return { ...choices, edits: [...chosen.values()], method, lambda };
}

function positionOf(path: string, label: string, target: object): Position {
  if ("ban" in target) return "ban";
  const { scale } = target as { scale?: number };
  if (scale !== undefined && scale >= 1e-3 && scale <= 1e3) return scale;
  throw new InputError(path, `asks for ${JSON.stringify(label)}; the sliders show factors from 0.001 to 1000 and bans`);
}
