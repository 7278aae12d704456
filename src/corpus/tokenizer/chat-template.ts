import { Template } from "@huggingface/jinja";
import { InputError } from "../../errors.js";
import type { EndedAfter, Folder } from "../../tensor/byte-source.js";
import type { ChatMessage } from "../corpus.js";
import { contentOf } from "./files/companions.js";
import { readObject, readText } from "./files/read-json.js";

/** A conversation as the text that a model was taught it in. */
export type RenderChat = (messages: readonly ChatMessage[], beginsAnswer: boolean) => string;

/** Real templates take a millisecond. */
const maxMilliseconds = 2_000;

/**
 * Reads the chat template of a model: chat_template.jinja, or `chat_template` of tokenizer_config.json (of several the default
 * one). It is run by @huggingface/jinja, with the blocks' white space as transformers treats it.
 * @param config tokenizer_config.json, whose tokens with roles a template can name
 * @returns what renders; it throws InputError if there is no template, or it cannot be used on the messages
 */
export async function readChatTemplate(folder: Folder, config: Readonly<Record<string, unknown>>): Promise<RenderChat> {
  const file = await folder.open("chat_template.jinja");
  const place = file?.name ?? `${folder.name}/tokenizer_config.json field "chat_template"`;
  const source =
    file === undefined
      ? (defaultTemplate(config.chat_template) ??
        defaultTemplate((await readObject(folder, "chat_template.json")).chat_template))
      : await readText(file);
  let template: Template | undefined;
  return (messages, beginsAnswer) => {
    if (source === undefined) {
      throw new InputError(folder.name, "has no chat template (chat_template.jinja, or in tokenizer_config.json)");
    }
    const variables = { ...namedTokens(config), messages, add_generation_prompt: beginsAnswer, tools: null };
    return bounded(place, folder.endedAfter, () => {
      template ??= new Template(source);
      return template.render(variables);
    });
  };
}

/** The one template, or of several the one named default. */
function defaultTemplate(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((one) => typeof one === "object" && one !== null && one.name === "default");
  return typeof named?.template === "string" ? named.template : undefined;
}

function namedTokens(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tokens = Object.entries(config).map(([key, value]) => [
    key,
    key.endsWith("_token") ? contentOf(value) : undefined,
  ]);
  return Object.fromEntries(tokens.filter(([, content]) => content !== undefined));
}

function bounded(place: string, endedAfter: EndedAfter | undefined, render: () => string): string {
  try {
    const done = endedAfter === undefined ? { result: render() } : endedAfter(maxMilliseconds, render);
    if (done !== undefined) return done.result;
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(place, `cannot be used on these messages: ${reason}`, { cause: error });
  }
  throw new InputError(place, `takes more than ${maxMilliseconds / 1000} seconds`);
}
