import { Composer, isMap, isScalar, isSeq, LineCounter, type Pair } from "yaml";
import { InputError } from "../../errors.js";
import { type ByteSource, wholeFile } from "../../tensor/byte-source.js";
import { quote } from "../../tensor/strict-json.js";
import { yamlTokens } from "../../tensor/yaml-tokens.js";
import type { EditEntry } from "./edit-list.js";
import { splitEdit } from "./edit-spec.js";

/** A line for each token of the largest vocabularies. */
const maxBytes = 2 ** 25;
/** Levels of the parser's stack: a list of objects takes six. */
const maxDepth = 40;

/** A number by itself: a factor. With a sign, it is log-odds. */
const factor = /^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Edits from a JSON or YAML file: a list of `TOKEN=SPEC` and {token, spec}, or an object of SPECs by TOKEN. JSON is read as the
 * YAML that it is, and every scalar as the text that it is written as, so that no token turns into a number or null.
 * @throws InputError naming the file, the line and the field
 */
export async function readEdits(source: ByteSource): Promise<EditEntry[]> {
  const { name } = source;
  const text = decode(name, await wholeFile(source, maxBytes));
  const lines = new LineCounter();
  const root = parse(name, text, lines);
  const fail = (node: unknown, problem: string): never => {
    throw new InputError(lineOf(node), problem);
  };
  const lineOf = (node: unknown) => {
    const start = (node as { range?: readonly number[] | null } | null)?.range?.[0];
    return start === undefined ? name : `${name}: line ${lines.linePos(start).line}`;
  };
  const textOf = (node: unknown, field: string): string =>
    isScalar(node) && typeof node.value === "string" ? node.value : fail(node, `${field} is no text`);
  const specOf = (node: unknown, field: string) => {
    const spec = textOf(node, field).trim();
    return factor.test(spec) ? Number(spec) : spec;
  };
  const fieldsOf = (items: readonly Pair[], nameOf: (key: unknown) => string): Map<string, unknown> => {
    const fields = new Map<string, unknown>();
    for (const { key, value } of items) {
      const field = nameOf(key);
      if (fields.has(field)) fail(key, `names ${quote(field)} twice`);
      fields.set(field, value);
    }
    return fields;
  };
  if (isMap(root)) {
    fieldsOf(root.items as Pair[], (key) => textOf(key, "the token"));
    return root.items.map(({ key, value }: Pair) => {
      const token = textOf(key, "the token");
      const field = `field ${quote(token)}`;
      return { token, spec: specOf(value ?? key, field), place: `${lineOf(key)}: ${field}` };
    });
  }
  if (!isSeq(root))
    return fail(root, "holds no edits: a list of {token, spec}, or an object of targets by token, is wanted");
  return root.items.map((item, index) => {
    const field = `edit ${index + 1}`;
    const place = `${lineOf(item)}: ${field}`;
    if (isScalar(item)) return { ...splitEdit(textOf(item, field), place), place };
    if (!isMap(item)) return fail(item, `${field} is neither TOKEN=SPEC nor an object of "token" and "spec"`);
    const fields = fieldsOf(item.items as Pair[], (key) => textOf(key, `${field}: a name`));
    const unknown = [...fields.keys()].find((key) => key !== "token" && key !== "spec");
    if (unknown !== undefined) fail(item, `${field}: field ${quote(unknown)} is not known; "token" and "spec" are`);
    for (const wanted of ["token", "spec"]) {
      if (!fields.has(wanted)) fail(item, `${field}: field "${wanted}" is missing`);
    }
    const token = textOf(fields.get("token"), `${field}: field "token"`);
    return { token, spec: specOf(fields.get("spec"), `${field}: field "spec"`), place };
  });
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(name, "is not valid UTF-8", { cause: error });
  }
}

function parse(name: string, text: string, lines: LineCounter): unknown {
  const refuse = (offset: number, problem: string): never => {
    throw new InputError(`${name}: line ${lines.linePos(offset).line}`, problem);
  };
  const tooDeep = () => new InputError(name, "is nested too deep to be a list of edits");
  const tokens = yamlTokens(text, { maxDepth, tooDeep, onNewLine: lines.addNewLine });
  // The composer compares each key with all before it: of 100,000 that takes minutes.
  const [document, second] = new Composer({ schema: "failsafe", uniqueKeys: false }).compose(tokens, true, text.length);
  const problem = document?.errors[0] ?? document?.warnings[0];
  if (problem) refuse(problem.pos[0], problem.message.replace(/\s+/g, " "));
  if (second) refuse(second.range[0], "begins a second document; one is wanted");
  return document?.contents;
}
