import type { Graph, Value } from "../../engine/graph.js";
import type { Config } from "../config.js";

/** Rotary position embedding (Su et al. 2021, arXiv 2104.09864), stretched to longer texts in one of several ways. */
export interface Rope {
  /** How many of each head's numbers are rotated. */
  readonly rotated: number;
  /** Longest window that it is made for. */
  readonly maxPositions: number;
  /** Factor on the cosines and sines (YaRN, LongRoPE). */
  readonly attentionFactor: number;
  /** If the frequencies depend on the window's length: the length after which all of them change, where there is one. */
  readonly byLength?: { readonly changesAfter?: number };
  /** Radians by which each pair turns from one position to the next, [rotated / 2]. @param positions int64, any shape */
  frequencies(graph: Graph, positions: Value): Value;
}

/** The fields that all kinds of scaling start from. */
interface Base {
  readonly theta: number;
  readonly rotated: number;
  /** max_position_embeddings */
  readonly maxPositions: number;
  /** original_max_position_embeddings, else max_position_embeddings */
  readonly trained: number;
}

/**
 * How a kind changes the plain frequencies. Formulas: transformers' modeling_rope_utils.py, which follows
 * linear: kaiokendev 2023; dynamic ("NTK-aware"): bloc97 and emozilla 2023; llama3: the Llama 3.1 release;
 * yarn: Peng et al. 2023, arXiv 2309.00071; longrope: Ding et al. 2024, arXiv 2402.13753.
 */
const kinds = { default: plain, linear, dynamic, llama3, yarn, longrope } satisfies Record<
  string,
  (parameters: Config, base: Base) => Rope
>;

export type RopeKind = keyof typeof kinds;
export const ropeKinds = Object.keys(kinds) as RopeKind[];

/** Every field that a kind reads. transformers warns of others and passes them over. */
const knownFields = [
  ...["rope_type", "type", "rope_theta", "partial_rotary_factor", "factor", "original_max_position_embeddings"],
  ...["low_freq_factor", "high_freq_factor", "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"],
  ...["truncate", "short_factor", "long_factor"],
];

/** How a family names and defaults its rotary positions. */
export interface RopeFields {
  readonly headDim: number;
  /** Base of the frequencies where the config has none; 10,000 if left out. */
  readonly theta?: number;
  /** Share of each head that is rotated where the config has none. Families without it rotate whole heads only. */
  readonly share?: number;
  /** What configs of transformers 4 call the two, if not "rope_theta" and "partial_rotary_factor". */
  readonly thetaField?: string;
  readonly shareField?: string;
  /** Older names of kinds. */
  readonly aliases?: Readonly<Record<string, RopeKind>>;
  /** Fields among the parameters that the family reads itself. */
  readonly otherFields?: readonly string[];
}

/**
 * Reads rotary positions as transformers 4 writes them (`rope_theta`, `rope_scaling`) or transformers 5
 * (`rope_parameters`).
 * @throws InputError naming a field that is missing, of an unknown kind or at odds with the head's size
 */
export function readRope(config: Config, fields: RopeFields): Rope {
  return ropeOf(config, ropeParameters(config), fields);
}

/** The object that holds a config's parameters of rotary positions, if it has one. */
export function ropeParameters(config: Config): Config | undefined {
  return config.object("rope_scaling") ?? config.object("rope_parameters");
}

/**
 * Rotary positions of layers that see everything and of those with a window, where each have their own: transformers 4
 * stretches the full layers alone by `rope_scaling`; transformers 5 keeps parameters for each kind.
 */
export function ropesByLayerKind(config: Config, full: RopeFields, sliding: RopeFields): { full: Rope; sliding: Rope } {
  const byKind = config.object("rope_parameters");
  for (const field of byKind?.fields() ?? []) {
    if (field !== "full_attention" && field !== "sliding_attention") byKind?.fail(field, "is not supported");
  }
  return {
    full: ropeOf(config, config.object("rope_scaling") ?? byKind?.object("full_attention"), full),
    sliding: ropeOf(config, byKind?.object("sliding_attention"), sliding),
  };
}

/** `no_rope_layers`, which despite its name is 1 for layers that have rotary positions, or all but every n-th. */
export function layersWithRope(config: Config): (layer: number) => boolean {
  const interval = config.integer("no_rope_layer_interval", 4);
  const flags = config.has("no_rope_layers") ? config.numbers("no_rope_layers") : [];
  if (flags.length === 0) return (layer) => (layer + 1) % interval !== 0;
  const layers = config.integer("num_hidden_layers");
  if (flags.length < layers) {
    config.fail("no_rope_layers", `has ${flags.length} entries for num_hidden_layers = ${layers}`);
  }
  return (layer) => flags[layer] !== 0;
}

/** The same from one set of parameters, for families that have several. */
export function ropeOf(config: Config, parameters: Config | undefined, fields: RopeFields): Rope {
  const thetaField = fields.thetaField ?? "rope_theta";
  const theta = parameters?.has("rope_theta")
    ? parameters.positive("rope_theta")
    : config.positive(thetaField, fields.theta ?? 10_000);
  const maxPositions = config.integer("max_position_embeddings");
  const base: Base = {
    theta,
    rotated: rotatedSize(config, parameters, fields),
    maxPositions,
    trained: config.integer(
      "original_max_position_embeddings",
      parameters?.integer("original_max_position_embeddings", maxPositions) ?? maxPositions,
    ),
  };
  if (parameters === undefined) return plain(config, base);
  for (const field of parameters.fields()) {
    if (!knownFields.includes(field) && !fields.otherFields?.includes(field)) {
      parameters.notice(field, "is not known and passed over, as transformers does");
    }
  }
  return kinds[kindOf(parameters, fields.aliases ?? {})](parameters, base);
}

function rotatedSize(
  config: Config,
  parameters: Config | undefined,
  { headDim, share, shareField = "partial_rotary_factor", aliases = {} }: RopeFields,
): number {
  if (share === undefined) {
    const isPlain = parameters === undefined || kindOf(parameters, aliases) === "default";
    for (const one of [parameters, config]) {
      // Where transformers stretches frequencies, it makes too few of them for the heads, and fails.
      if (!isPlain) one?.mustBe("partial_rotary_factor", 1);
      else if (one?.has("partial_rotary_factor") && one.unknown("partial_rotary_factor") !== 1) {
        one.notice("partial_rotary_factor", "is passed over, as transformers does: this family rotates whole heads");
      }
    }
  }
  const found =
    share === undefined
      ? 1
      : parameters?.has("partial_rotary_factor")
        ? parameters.positive("partial_rotary_factor")
        : config.positive(shareField, share ?? 1);
  const rotated = Math.floor(headDim * (share === undefined ? 1 : found));
  if (rotated % 2 !== 0 || rotated < 2 || rotated > headDim) {
    config.fail(
      shareField,
      `= ${found} rotates ${rotated} of each head's ${headDim} numbers; an even number of them is wanted`,
    );
  }
  return rotated;
}

function kindOf(parameters: Config, aliases: Readonly<Record<string, RopeKind>>): RopeKind {
  const field = parameters.has("rope_type") ? "rope_type" : "type";
  const name = parameters.choice(field, [...Object.keys(aliases), ...ropeKinds], "default");
  return Object.hasOwn(aliases, name) ? aliases[name]! : (name as RopeKind);
}

/** theta^(-2i / rotated) for i = 0 ... rotated/2 - 1. */
function plainFrequencies({ theta, rotated }: Pick<Base, "theta" | "rotated">): number[] {
  return Array.from({ length: rotated / 2 }, (_, i) => theta ** ((-2 * i) / rotated));
}

/** Frequencies that are the same whatever the window; computed when a graph asks, after the weights' shapes are checked. */
function fixed(
  base: Pick<Base, "rotated" | "maxPositions">,
  frequencies: () => number[],
  attentionFactor = 1,
  maxPositions = base.maxPositions,
): Rope {
  return {
    rotated: base.rotated,
    maxPositions,
    attentionFactor,
    frequencies: (graph) => graph.constant(Float32Array.from(frequencies())),
  };
}

function plain(_: Config, base: Base): Rope {
  return plainRope(base);
}

/** Rotary positions that are not stretched. */
export function plainRope(base: Pick<Base, "theta" | "rotated" | "maxPositions">): Rope {
  return fixed(base, () => plainFrequencies(base));
}

function linear(parameters: Config, base: Base): Rope {
  const factor = parameters.positive("factor");
  const frequencies = () => plainFrequencies(base).map((frequency) => frequency / factor);
  return fixed(base, frequencies, 1, Math.floor(base.maxPositions * factor));
}

/** Beyond max_position_embeddings = M, theta grows by (factor n / M - factor + 1)^(rotated / (rotated - 2)) with the window's length n. */
function dynamic(parameters: Config, base: Base): Rope {
  const factor = parameters.positive("factor");
  const { rotated, maxPositions } = base;
  if (rotated < 4) parameters.fail("rope_type", `"dynamic" needs at least 4 rotated numbers a head; here ${rotated}`);
  return {
    rotated,
    maxPositions: Math.floor(maxPositions * factor),
    attentionFactor: 1,
    byLength: {},
    frequencies(graph, positions) {
      const scalar = (value: number) => graph.constant(Float32Array.of(value), []);
      const length = graph.op("Max", [graph.cast(windowLength(graph, positions), "float32"), scalar(maxPositions)]);
      const growth = graph.op("Sub", [graph.op("Mul", [length, scalar(factor / maxPositions)]), scalar(factor - 1)]);
      const exponents = Float32Array.from({ length: rotated / 2 }, (_, i) => (-2 * i) / (rotated - 2));
      const shrink = graph.op("Pow", [growth, graph.constant(exponents)]);
      return graph.op("Mul", [graph.constant(Float32Array.from(plainFrequencies(base))), shrink]);
    },
  };
}

/** Low frequencies divided by `factor`, high ones kept, those between blended. */
function llama3(parameters: Config, base: Base): Rope {
  const factor = parameters.positive("factor");
  const low = parameters.positive("low_freq_factor");
  const high = parameters.positive("high_freq_factor");
  if (high <= low) parameters.fail("high_freq_factor", `is ${high}; more than low_freq_factor = ${low} is wanted`);
  const frequencies = () =>
    plainFrequencies(base).map((frequency) => {
      const turns = (base.trained * frequency) / (2 * Math.PI);
      const kept = clamp((turns - low) / (high - low));
      return (1 - kept) * (frequency / factor) + kept * frequency;
    });
  return fixed(base, frequencies);
}

function yarn(parameters: Config, base: Base): Rope {
  const { theta, rotated, trained } = base;
  const factor = parameters.positive("factor", base.maxPositions / trained);
  const fast = parameters.positive("beta_fast", 32);
  const slow = parameters.positive("beta_slow", 1);
  if (theta === 1) parameters.fail("rope_theta", 'is 1, with which rope_type "yarn" is undefined');
  const pairThatTurns = (turns: number) =>
    (rotated * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [down, up] = parameters.boolean("truncate", true) ? [Math.floor, Math.ceil] : [Number, Number];
  const first = Math.max(down(pairThatTurns(fast)), 0);
  const last = Math.min(up(pairThatTurns(slow)), rotated - 1);
  const width = last === first ? 0.001 : last - first;
  const frequencies = () =>
    plainFrequencies(base).map((frequency, i) => {
      const stretched = clamp((i - first) / width);
      return stretched * (frequency / factor) + (1 - stretched) * frequency;
    });

  const magnitude = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const given = parameters.has("mscale") && parameters.has("mscale_all_dim");
  const usual = given
    ? magnitude(parameters.positive("mscale")) / magnitude(parameters.positive("mscale_all_dim"))
    : magnitude(1);
  const longest = Math.max(base.maxPositions, Math.floor(trained * factor));
  return fixed(base, frequencies, parameters.positive("attention_factor", usual), longest);
}

/** Each frequency divided by its own factor: one list for windows up to the trained length, another for longer ones. */
function longrope(parameters: Config, base: Base): Rope {
  const { rotated, trained, maxPositions } = base;
  const short = factorList(parameters, "short_factor", rotated / 2);
  const long = factorList(parameters, "long_factor", rotated / 2);
  const factor = parameters.positive("factor", maxPositions / trained);
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
  const divided = (factors: number[]) =>
    Float32Array.from(plainFrequencies(base), (frequency, i) => frequency / factors[i]!);
  return {
    rotated,
    maxPositions,
    attentionFactor: parameters.positive("attention_factor", usual),
    byLength: { changesAfter: trained },
    frequencies(graph, positions) {
      const beyond = graph.op("Greater", [
        windowLength(graph, positions),
        graph.constant(BigInt64Array.of(BigInt(trained)), []),
      ]);
      return graph.op("Where", [beyond, graph.constant(divided(long)), graph.constant(divided(short))]);
    },
  };
}

function factorList(parameters: Config, field: string, count: number): number[] {
  const factors = parameters.numbers(field);
  if (factors.length !== count || !factors.every((factor) => factor > 0)) {
    parameters.fail(field, `has ${factors.length} numbers; ${count} above zero are wanted, one a rotated pair`);
  }
  return factors;
}

/** Last position + 1, a scalar. */
function windowLength(graph: Graph, positions: Value): Value {
  const last = graph.op("ReduceMax", [positions], { keepdims: 0 });
  return graph.op("Add", [last, graph.constant(BigInt64Array.of(1n), [])]);
}

const clamp = (x: number) => Math.min(Math.max(x, 0), 1);
