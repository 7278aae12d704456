import { InputError } from "../../errors.js";
import type { ProbedEdit } from "./probe-edits.js";

/** Of each edit that is unsafe, what it does where: the contexts in which its tokens are likely though they are to be rarer. */
export function unsafeEdits(
  { edits }: { readonly edits: readonly { readonly label: string }[] },
  probed: readonly ProbedEdit[],
): string[] {
  return probed.flatMap(({ unsafe, contexts, worst }, g) => {
    if (unsafe.length === 0) return [];
    const [{ text, before, after }] = worst as [ProbedEdit["worst"][0]];
    return [
      `${JSON.stringify(edits[g]!.label)} is unsafe: in ${unsafe.length} of ${contexts} contexts that no text holds it makes likelier what it is to make rarer, from ${before.toPrecision(2)} to ${after.toPrecision(2)} after ${JSON.stringify(text)}`,
    ];
  });
}

/** @returns what is unsafe, where that is allowed @throws InputError if an edit is, and it is not */
export function refuseUnsafe(
  plan: Parameters<typeof unsafeEdits>[0],
  probed: readonly ProbedEdit[],
  allowed = false,
): string[] {
  const unsafe = unsafeEdits(plan, probed);
  if (unsafe.length > 0 && !allowed) throw new InputError("edits", unsafe.join("; "));
  return unsafe;
}
