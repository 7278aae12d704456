import { InputError } from "../../errors.js";

type Json = Record<string, unknown>;
type Pair = readonly [token: string, id: number];

/** Ids that a post-processor puts around a text. @throws InputError if it is of a kind that isn't known */
export function postProcessorIds(place: string, processor: unknown): number[] {
  if (typeof processor !== "object" || processor === null) return [];
  const found: number[] = [];
  withIds(
    processor as Json,
    (id) => {
      found.push(id);
      return id;
    },
    place,
  );
  return found;
}

/** The same post-processor with other ids. */
export function withPostProcessorIds(processor: Json, idOf: (id: number) => number): Json {
  return withIds(processor, idOf, "tokenizer.json");
}

function withIds(processor: Json, idOf: (id: number) => number, place: string): Json {
  const pair = (value: unknown): Pair => {
    const [token, id] = Array.isArray(value) ? value : [];
    if (typeof token === "string" && typeof id === "number") return [token, idOf(id)];
    throw new InputError(place, 'field "post_processor" has no token and its id where one is wanted');
  };
  switch (processor.type) {
    case "ByteLevel":
      return processor;
    case "BertProcessing":
    case "RobertaProcessing":
      return { ...processor, sep: pair(processor.sep), cls: pair(processor.cls) };
    case "Sequence": {
      const processors = Array.isArray(processor.processors) ? (processor.processors as Json[]) : [];
      return { ...processor, processors: processors.map((one) => withIds(one, idOf, place)) };
    }
    case "TemplateProcessing": {
      const special = Object.entries((processor.special_tokens ?? {}) as Record<string, Json>);
      const renumbered = special.map(([name, token]) => {
        const ids = Array.isArray(token.ids) ? (token.ids as number[]).map(idOf) : [];
        return [name, { ...token, ids }] as const;
      });
      return { ...processor, special_tokens: Object.fromEntries(renumbered) };
    }
    default:
      throw new InputError(
        place,
        `field "post_processor.type" is ${JSON.stringify(processor.type)?.slice(0, 60)}, a kind that cannot be trimmed`,
      );
  }
}
