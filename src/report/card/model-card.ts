import { Composer, Document, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import { yamlTokens } from "../../tensor/yaml-tokens.js";

/** Characters of a card's metadata that are read; the hub's own cards have a few thousand. */
const longestMetadata = 2 ** 16;

/** Levels of the parser's stack: results on data sets take twelve. */
const maxDepth = 100;

/** Fields that speak of the original alone: results that were measured on it, and what it was made of. */
const ofTheOriginal = ["base_model", "base_model_relation", "model-index", "new_version"];

/** The model that another was made of. */
export interface OriginalModel {
  /** Its name on the hub, or that of its folder. */
  readonly name: string;
  /** Its README.md; its metadata (license, languages, tags ...) is kept but for what speaks of its own origin and results. */
  readonly card: string | undefined;
}

/** What the head of a changed model's card says. */
export interface CardHead {
  /** Markdown: what was done to it. */
  readonly done: string;
  /** Of unembed. */
  readonly version: string;
}

/**
 * README.md of a changed model: metadata and a head that say what it was made of and how, so that nobody takes it for the
 * original; below them the original's card as it is.
 * @returns Markdown with YAML metadata, as the Hugging Face hub reads it (https://huggingface.co/docs/hub/model-cards)
 */
export function modelCard({ name, card = "" }: OriginalModel, { done, version }: CardHead): string {
  const { metadata, body } = splitCard(card);
  const lines = ["---", metadataOf(metadata, name), "---", "", `# ${inline(name)}, changed with unembed`, ""];
  lines.push(
    done,
    "",
    `Written by unembed ${version}. \`run.json\` and \`report.html\`, where they lie beside, hold the measurements.`,
  );
  if (body.trim() !== "") {
    lines.push(
      "",
      "---",
      "",
      "**What follows is the card of the original model. It does not speak of the changed one.**",
      "",
      body.trim(),
    );
  }
  return `${lines.join("\n")}\n`;
}

function splitCard(card: string): { metadata: string; body: string } {
  const text = card.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const end = text.startsWith("---\n") ? text.indexOf("\n---", 3) : -1;
  const after = text.slice(end + "\n---".length);
  if (end < 0 || !/^[ \t]*(\n|$)/.test(after)) return { metadata: "", body: text };
  return { metadata: text.slice("---\n".length, end + 1), body: after };
}

/** The original's metadata as of a model made from it; what cannot be read as metadata is left out. */
function metadataOf(original: string, base: string): string {
  const document = readMetadata(original) ?? parseDocument("{}\n");
  if (isMap(document.contents)) document.contents.flow = false;
  for (const field of ofTheOriginal) document.delete(field);
  document.set("base_model", base);
  document.set("base_model_relation", "finetune");
  const tags = document.get("tags", true);
  const kept = isSeq(tags) ? tags.items.flatMap((tag) => (isScalar(tag) ? [String(tag.value)] : [])) : [];
  document.set("tags", [...new Set([...kept, "unembed"])]);
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function readMetadata(text: string) {
  if (text.length > longestMetadata) return undefined;
  try {
    const tokens = yamlTokens(text, { maxDepth, tooDeep: () => new RangeError("is nested too deep") });
    const [document, second] = new Composer().compose(tokens);
    const isOne = document !== undefined && second === undefined && document.errors.length === 0;
    return isOne && isMap(document.contents) ? withoutAliases(document) : undefined;
  } catch {
    // Nested too deep, or aliases of aliases without end.
    return undefined;
  }
}

/** What an alias stands for may be in a field that goes. */
function withoutAliases(document: Document): Document {
  let hasAlias = false;
  visit(document, {
    Alias() {
      hasAlias = true;
      return visit.BREAK;
    },
  });
  return hasAlias ? new Document(document.toJS(), { aliasDuplicateObjects: false }) : document;
}

/** Text of untrusted origin inside a line of Markdown, as it is and nothing else. */
function inline(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|~&]/g, "\\$&").replace(/\s+/g, " ");
}

/** The same as code, in a table too. */
export function code(text: string): string {
  const shown = text.replaceAll("|", "\\|");
  const fence = "`".repeat(Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const padding = shown.startsWith("`") || shown.endsWith("`") || shown.trim() === "" ? " " : "";
  return `${fence}${padding}${shown}${padding}${fence}`;
}

/** A table; cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
