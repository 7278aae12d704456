import * as z from "zod";
import { Refusal } from "../refusal.js";
import { flatten, type Step, stepFields } from "./step.js";

const idPair = z.tuple([z.string(), z.int().min(0)]);
const ends = z.object({ cls: idPair });
const template = z.object({
  single: z.array(z.looseObject({})),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(z.int().min(0)) })),
});

/**
 * The ids that a post-processor puts before a text, which is all that is wanted of it here.
 * @throws Refusal naming the step that is unknown or cannot be used
 */
export function firstTokens(step: Step | null | undefined): number[] {
  // The later ones go around what the earlier ones made.
  return flatten(step, "post_processor").toReversed().flatMap(single);
}

function single({ step, field }: { step: Step; field: string }): number[] {
  switch (step.type) {
    case "ByteLevel":
      return [];
    case "BertProcessing":
    case "RobertaProcessing":
      return [stepFields(step, field, ends).cls[1]];
    case "TemplateProcessing": {
      const { single, special_tokens } = stepFields(step, field, template);
      const text = single.findIndex((part) => "Sequence" in part);
      return single.slice(0, text < 0 ? undefined : text).flatMap((part, index) => {
        const id = (part.SpecialToken as { id?: unknown } | undefined)?.id;
        const ids = typeof id === "string" ? special_tokens[id]?.ids : undefined;
        if (ids === undefined) throw new Refusal(`${field}.single.${index}`, "names no token of special_tokens");
        return ids;
      });
    }
    default:
      throw new Refusal(`${field}.type`, `is ${JSON.stringify(step.type.slice(0, 40))}, an unknown post-processor`);
  }
}
