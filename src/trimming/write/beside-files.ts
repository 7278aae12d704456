import { InputError } from "../../errors.js";
import { type ModelFile, pieces } from "../../export/model-files.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { Folder } from "../../tensor/byte-source.js";
import { renumberedAddedTokens, renumberedConfig, renumberedTokenizerConfig } from "../tokenizer/id-fields.js";
import { jsonText } from "../tokenizer/json-text.js";
import type { TrimmableTokenizer } from "../tokenizer/trimmable-tokenizer.js";
import { trimmedVocabulary } from "../tokenizer/vocabulary-rules.js";

/** Copied as they are. */
const copied = [
  ...["special_tokens_map.json", "chat_template.jinja", "chat_template.json"],
  ...["README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE"],
];
/** The same vocabulary in a form that is not rewritten; tokenizer.json takes its place. */
const leftOut = ["tokenizer.model", "spiece.model"];

/** More is no config. */
const longestText = 2 ** 26;

/**
 * A model's files beside its weights after tokens were taken out: every id in them is the new one.
 * @param newIds by old id, ascending @param vocabSize V before and after, padding included
 * @returns the files, and the names of those that could not follow and are left out
 */
export async function trimmedBesideFiles(
  { folder, head }: HeadModel,
  tokenizer: TrimmableTokenizer,
  newIds: ReadonlyMap<number, number>,
  vocabSize: number,
): Promise<{ files: ModelFile[]; leftOut: string[] }> {
  const idOf = (id: number) => newIds.get(id) ?? id;
  const sizes = { before: head.vocabSize, after: vocabSize };
  const config = (text: string) => renumberedConfig(text, idOf, sizes);
  const rewritten: Record<string, (text: string) => string> = {
    "config.json": config,
    "generation_config.json": config,
    "tokenizer.json": () => tokenizer.trimmed(newIds),
    "tokenizer_config.json": (text) => renumberedTokenizerConfig(text, idOf),
    "added_tokens.json": (text) => renumberedAddedTokens(text, idOf),
    "vocab.json": (text) => vocabularyJson(`${folder.name}/vocab.json`, text, newIds),
  };
  const files: ModelFile[] = [];
  for (const [name, rewrite] of Object.entries(rewritten)) {
    const text = await jsonText(folder, name);
    if (text !== undefined) files.push([name, rewrite(text)]);
  }
  const merges = await textOf(folder, "merges.txt");
  if (merges !== undefined) files.push(["merges.txt", mergesText(merges, tokenizer, newIds)]);
  const words = await textOf(folder, "vocab.txt");
  if (words !== undefined) files.push(["vocab.txt", wordsText(words, newIds)]);
  for (const name of copied) {
    const source = await folder.open(name);
    if (source !== undefined) files.push([name, pieces(source, 0, source.size)]);
  }
  const lost: string[] = [];
  for (const name of leftOut) if ((await folder.open(name)) !== undefined) lost.push(name);
  return { files, leftOut: lost };
}

async function textOf(folder: Folder, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  if (source === undefined) return undefined;
  if (source.size > longestText)
    throw new InputError(source.name, `is ${source.size} bytes; at most ${longestText} are read`);
  return new TextDecoder().decode(await source.read(0, source.size));
}

function vocabularyJson(place: string, text: string, newIds: ReadonlyMap<number, number>): string {
  const vocab: unknown = JSON.parse(text);
  if (typeof vocab !== "object" || vocab === null || Array.isArray(vocab))
    throw new InputError(place, "is no object of ids by token: mend or delete it");
  return JSON.stringify(trimmedVocabulary(new Map(Object.entries(vocab as Record<string, number>)), newIds));
}

/** A merge a line, `left right`; a first line `#version` stays. */
function mergesText(text: string, { rules }: TrimmableTokenizer, newIds: ReadonlyMap<number, number>): string {
  const stays = (id: number) => newIds.has(id);
  const lines = text.split("\n").filter((line) => {
    if (line.startsWith("#version")) return true;
    const [left, right] = line.replace(/\r$/, "").split(" ");
    return left && right ? (rules.keepsMerge?.(left, right, stays) ?? true) : false;
  });
  return `${lines.join("\n")}\n`;
}

/** A token a line; its id is the line's number. */
function wordsText(text: string, newIds: ReadonlyMap<number, number>): string {
  const lines = text.replace(/\r?\n$/, "").split("\n");
  return `${lines.filter((_, id) => newIds.has(id)).join("\n")}\n`;
}
