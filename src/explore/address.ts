import type { Position } from "./actions.js";
import type { Address } from "./address-view.js";
import { initialChoices } from "./initial-state.js";
import { parseAddress } from "./validate-action.js";

/**
 * What stands behind "#" in a link: only what differs from a fresh page, so that links stay short. Dropped files and texts of
 * one's own are not in it: they do not leave the machine.
 */
export function writeAddress({ room, model, text, tokens, choices }: Address): string {
  const fields = new URLSearchParams();
  if (room !== "open") fields.set("r", room);
  if (model?.kind === "hub") fields.set("hub", model.name);
  if (model?.kind === "offered") fields.set("m", model.name);
  if (text?.kind === "offered") fields.set("t", text.name);
  if (tokens !== undefined) fields.set("n", String(tokens));
  const { prompt, edits, method, lambda, writing, shrink, trim } = choices;
  if (prompt !== initialChoices.prompt) fields.set("p", prompt);
  for (const { selector, position } of edits) fields.append("e", `${selector}=${position}`);
  if (method !== initialChoices.method) fields.set("x", method);
  if (lambda !== initialChoices.lambda) fields.set("l", String(lambda));
  if (JSON.stringify(writing) !== JSON.stringify(initialChoices.writing)) fields.set("w", JSON.stringify(writing));
  if (shrink !== null) fields.set("k", `${shrink.kept},${shrink.rescore}`);
  if (trim !== null) fields.set("v", String(trim));
  return fields.toString();
}

/** @throws InputError naming the field that makes no sense */
export function readAddress(address: string): Address {
  const fields = new URLSearchParams(address.replace(/^#/, ""));
  const number = (name: string) => (fields.has(name) ? Number(fields.get(name)) : undefined);
  const [hub, offered, text] = [fields.get("hub"), fields.get("m"), fields.get("t")];
  const [kept, rescore] = (fields.get("k") ?? "").split(",").map(Number);
  return parseAddress({
    room: fields.get("r") ?? "open",
    model:
      hub !== null ? { kind: "hub", name: hub } : offered !== null ? { kind: "offered", name: offered } : undefined,
    text: text === null ? undefined : { kind: "offered", name: text },
    tokens: number("n"),
    choices: {
      prompt: fields.get("p") ?? initialChoices.prompt,
      edits: fields.getAll("e").map(editOf),
      method: fields.get("x") ?? initialChoices.method,
      lambda: number("l") ?? initialChoices.lambda,
      writing: fields.has("w") ? parsed(fields.get("w")!) : initialChoices.writing,
      shrink: fields.has("k") ? { kept, rescore } : null,
      trim: number("v") ?? null,
    },
  });
}

function editOf(text: string): { selector: string; position: Position } {
  const at = text.lastIndexOf("=");
  const position = text.slice(at + 1);
  return { selector: text.slice(0, Math.max(0, at)), position: position === "ban" ? "ban" : Number(position) };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
