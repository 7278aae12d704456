import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryFolder } from "../../../test/support/memory-folder.js";
import type { ChatMessage } from "../corpus.js";
import { jsonLinesDocuments } from "../text/json-documents.js";
import { tokenIds } from "../tokens/token-ids.js";
import { loadTokenizer } from "./tokenizer.js";

const folder = "test/goldens/tokenizers";
const tokenizerJson = readFileSync(`${folder}/gpt2.json`, "utf8");
const golden: { conversations: ChatMessage[][]; cases: Case[] } = JSON.parse(
  readFileSync(`${folder}/chat.json`, "utf8"),
);

/** What each conversation becomes without and with the beginning of an answer; null where the template refuses it. */
interface Case {
  name: string;
  config: { chat_template: string };
  rendered: (string | null)[];
}

const open = (files: Record<string, string>) =>
  loadTokenizer(memoryFolder({ "tokenizer.json": tokenizerJson, ...files }, "model"));

test.each(golden.cases)("$name: as transformers' apply_chat_template", async ({ config, rendered }) => {
  const inConfig = await open({ "tokenizer_config.json": JSON.stringify(config) });
  const { chat_template, ...rest } = config;
  const inFile = await open({ "tokenizer_config.json": JSON.stringify(rest), "chat_template.jinja": chat_template });
  for (const [index, wanted] of rendered.entries()) {
    const messages = golden.conversations[index >> 1]!;
    const begins = index % 2 === 1;
    if (wanted === null) expect(() => inConfig.chat(messages, begins)).toThrow(/cannot be used on these messages: /);
    else expect([inConfig.chat(messages, begins), inFile.chat(messages, begins)]).toEqual([wanted, wanted]);
  }
});

test("of several templates the default one counts, and none is said", async () => {
  const chat_template = [
    { name: "tool_use", template: "no" },
    { name: "default", template: "{{ messages[0].content }}" },
  ];
  const tokenizer = await open({ "tokenizer_config.json": JSON.stringify({ chat_template }) });
  expect(tokenizer.chat([{ role: "user", content: "x" }], true)).toBe("x");
  const without = await open({});
  expect(() => without.chat([], false)).toThrow("model: has no chat template");
});

test("a template that never ends is ended", async () => {
  const files = { "tokenizer.json": tokenizerJson, "chat_template.jinja": "{% for i in range(9) %}{% endfor %}" };
  const tokenizer = await loadTokenizer({ ...memoryFolder(files, "model"), endedAfter: () => undefined });
  expect(() => tokenizer.chat([], false)).toThrow("model/chat_template.jinja: takes more than 2 seconds");
});

test("conversations in JSON lines are read by the template", async () => {
  const tokenizer = await open({
    "chat_template.jinja": "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
  });
  async function* lines() {
    yield '{"id": 1, "messages": [{"role": "user", "content": "Hi"}, {"role": "bot", "content": "Oh"}]}\n{"text": "plain"}\n';
  }
  const corpus = { files: [], documents: () => jsonLinesDocuments("chat.jsonl", lines(), "text") };
  const ids: number[] = [];
  for await (const part of tokenIds(corpus, tokenizer, { vocabSize: 500, separator: null }))
    ids.push(...Array.from(part));
  expect(tokenizer.decode(ids)).toBe("<user>Hi<bot>Ohplain");
});

test.each([
  ['{"messages": "x"}', 'f.jsonl line 1: has no field "text"; its fields: "messages"'],
  ['{"messages": [{"content": "x"}]}', 'field "messages.0" is {"content":"x"} where a message with its role is wanted'],
])("refuses %s", async (line, message) => {
  async function* lines() {
    yield line;
  }
  const documents = jsonLinesDocuments("f.jsonl", lines(), "text");
  const read = async () => {
    for await (const _ of documents);
  };
  await expect(read()).rejects.toThrow(message);
});
