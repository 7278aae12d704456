import type { TensorEntries } from "./checkpoint-layouts.js";

/**
 * What wrappers of a model put before the names of its tensors, none of which is a part of any model's own names where all
 * tensors have it: DistributedDataParallel, torch.compile, FSDP, DeepSpeed, PEFT.
 */
const prefixes = ["_orig_mod.", "module.", "_fsdp_wrapped_module.", "_forward_module.", "base_model.model."];
/** Lightning's module that holds a whole model: then the head, too, is inside. */
const holder = "model.";
const heldHeads = ["model.lm_head.weight", "model.embed_out.weight"];

/** Names that wrappers of single layers put in the middle. */
const inner = /(?<=\.|^)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;

/**
 * The tensors by the model's own names, where the file has them behind those of wrappers.
 * @returns undefined if there is nothing to take away, or two tensors would have one name
 */
export function unwrappedNames(
  tensors: TensorEntries,
): { readonly tensors: TensorEntries; readonly removed: string } | undefined {
  const own = ownNames([...tensors.keys()]);
  if (own === undefined) return undefined;
  const renamed = [...tensors.values()].map(
    (tensor, i) => [own.names[i]!, { ...tensor, name: own.names[i]! }] as const,
  );
  return { tensors: new Map(renamed), removed: own.removed };
}

/** What is said where names were taken so. */
export function readWithout({ removed }: { readonly removed: string }): string {
  return `the names of its tensors are read without ${removed}, which a wrapper put there`;
}

/** The same for names alone, in the order given. */
export function ownNames(
  wrapped: readonly string[],
): { readonly names: readonly string[]; readonly removed: string } | undefined {
  const removed = new Set<string>();
  let names = wrapped.map((name) =>
    name.replace(inner, (part) => {
      removed.add(part);
      return "";
    }),
  );
  for (let prefix = commonPrefix(names); prefix !== undefined; prefix = commonPrefix(names)) {
    const { length } = prefix;
    names = names.map((name) => name.slice(length));
    removed.add(prefix);
  }
  if (removed.size === 0 || new Set(names).size < names.length) return undefined;
  return { names, removed: [...removed].map((prefix) => `"${prefix}"`).join(" and ") };
}

function commonPrefix(names: readonly string[]): string | undefined {
  const common = prefixes.find((prefix) => names.length > 0 && names.every((name) => name.startsWith(prefix)));
  if (common !== undefined) return common;
  const held = heldHeads.some((head) => names.includes(head)) && names.every((name) => name.startsWith(holder));
  return held ? holder : undefined;
}
