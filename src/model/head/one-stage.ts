import { InputError } from "../../errors.js";
import type { HeadModel } from "./head-model.js";

/**
 * What changes E would have to change the preview of a head of two stages too, which was fitted to E as it was.
 * @param work that is refused: "steered" @throws InputError if the head has two stages
 */
export function requireOneStage({ name, head }: Pick<HeadModel, "name" | "head">, work: string): void {
  if (head.preview === undefined) return;
  throw new InputError(
    name,
    `has a head of two stages (rescore), whose preview was fitted to its rows, and cannot be ${work}: start from the model that it was made of`,
  );
}
