import type { Config } from "../config.js";

/** How many positions a token of each layer sees; undefined if all before it. */
export type AttentionWindows = (layer: number) => number | undefined;

/**
 * Windows of layers that `layer_types` calls sliding_attention or full_attention.
 * @param window what sliding layers see; undefined if the config has none
 * @param slides the family's own pattern, for configs without the field
 * @throws InputError if the field does not name a known kind for every layer or wants a window that the config lacks
 */
export function layerWindows(
  config: Config,
  window: number | undefined,
  slides: (layer: number) => boolean,
): AttentionWindows {
  const types = config.has("layer_types") ? config.strings("layer_types") : undefined;
  const layers = config.integer("num_hidden_layers");
  if (types !== undefined && types.length !== layers) {
    config.fail("layer_types", `has ${types.length} entries for num_hidden_layers = ${layers}`);
  }
  const unknown = types?.find((type) => type !== "sliding_attention" && type !== "full_attention");
  if (unknown !== undefined) {
    config.fail("layer_types", `holds "${unknown}"; only sliding_attention and full_attention are supported`);
  }
  return (layer) => {
    const sliding = types === undefined ? slides(layer) : types[layer] === "sliding_attention";
    if (sliding && window === undefined) config.fail("sliding_window", `is missing, but layer ${layer} has one`);
    return sliding ? window : undefined;
  };
}

/** `sliding_window`; undefined if the config says null. Absent, it is 4096 in every family that has one by default. */
export function slidingWindow(config: Config): number | undefined {
  return config.isNull("sliding_window") ? undefined : config.integer("sliding_window", 4096);
}

/** `sliding_window` of families that have none by default; undefined if the config has none either. */
export function windowIfAny(config: Config): number | undefined {
  return config.has("sliding_window") ? config.integer("sliding_window") : undefined;
}

/** Qwen's windows: none unless `use_sliding_window`, and then from layer `max_window_layers` on. */
export function qwenWindows(config: Config): AttentionWindows {
  const window = config.boolean("use_sliding_window", false) ? slidingWindow(config) : undefined;
  const first = config.number("max_window_layers", 28);
  return layerWindows(config, window, (layer) => window !== undefined && layer >= first);
}
