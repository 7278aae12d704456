import type { PartKind } from "./dynamics.js";

/** The part of a model that a tensor belongs to. */
export interface Part {
  /** Number of its layer, null outside the layers. */
  readonly layer: number | null;
  readonly kind: PartKind;
}

/** Causal masks, rotary frequencies and the like that some checkpoints list among the weights: constants, not learnt. */
const constants = /(?:^|\.)(?:attn|attention)\.(?:masked_)?bias$|rotary_emb\.inv_freq$|\.position_ids$/;

const layerNumber = /(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\./;

/** By the words that model families name their weights with; norms first, since attention and MLP have some of their own. */
const layerKinds: [RegExp, PartKind][] = [
  [/norm|(?:^|[._])ln(?:_?\w)?(?:[._]|$)/, "norm"],
  [/attn|attention/, "attention"],
  [/mlp|ffn|feed_forward|(?:^|\.)fc\d?\.|expert/, "mlp"],
];
const outerKinds: [RegExp, PartKind][] = [
  [/norm|(?:^|[._])ln(?:_?\w)?(?:[._]|$)/, "norm"],
  [/(?:^|\.)(?:lm_head|embed_out|output)\./, "head"],
  [/embed|(?:^|\.)w[tp]e\.|position/, "embedding"],
];

/** @returns undefined for what is no learnt weight */
export function partOf(tensorName: string): Part | undefined {
  if (constants.test(tensorName)) return undefined;
  const layer = layerNumber.exec(tensorName)?.[1];
  const kinds = layer === undefined ? outerKinds : layerKinds;
  const kind = kinds.find(([pattern]) => pattern.test(tensorName))?.[1] ?? "other";
  return { layer: layer === undefined ? null : Number(layer), kind };
}

const kindOrder: PartKind[] = ["embedding", "norm", "attention", "mlp", "other", "head"];
const kindWords: Record<PartKind, string> = {
  embedding: "input embedding",
  attention: "attention",
  mlp: "MLP",
  norm: "norms",
  head: "head",
  other: "other",
};

export function partName({ layer, kind }: Part): string {
  if (layer === null) return kind === "norm" ? "final norm" : kindWords[kind];
  return `layer ${layer} ${kindWords[kind]}`;
}

/** From the input to the output. */
export function compareParts(a: Part, b: Part): number {
  const place = ({ layer, kind }: Part) =>
    layer !== null ? layer : kind === "embedding" ? -1 : Number.MAX_SAFE_INTEGER;
  return place(a) - place(b) || kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind);
}
