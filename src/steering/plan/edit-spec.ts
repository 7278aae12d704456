import { InputError } from "../../errors.js";
import { shown } from "../../tensor/strict-json.js";
import { isBan, type Target } from "./targets.js";

const known = "x0.5 (a factor), +2 or -2 (log-odds), p=0.001 (a mean probability), ban or ban=1e-4";

/** What a token's probability is to become, as it is written. @returns undefined if it is none of the known forms */
export function parseSpec(spec: string): Target | undefined {
  const [, kind, digits] = /^(x|\+|-|p=|ban=)(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)$/i.exec(spec) ?? [];
  if (spec === "ban") return { ban: true };
  if (kind === undefined) return undefined;
  const value = Number(digits);
  if (kind === "+" || kind === "-") return { logOdds: kind === "-" ? -value : value };
  if (kind === "ban=") return { ban: value };
  return kind === "p=" ? { probability: value } : { scale: value };
}

/** `TOKEN=SPEC` at the last "=" behind which a known form stands: the token's text may hold one too. */
export function editParts(text: string): { token: string; spec: string } | undefined {
  for (let at = text.lastIndexOf("="); at > 0; at = text.lastIndexOf("=", at - 1)) {
    const spec = text.slice(at + 1);
    // "a=p=0.1" ends in a number behind its last "=", which is no form of its own.
    if (parseSpec(spec) !== undefined) return { token: text.slice(0, at), spec };
  }
  return undefined;
}

/** @param place where it was asked for, for messages  @throws InputError if it is no `TOKEN=SPEC` */
export function splitEdit(text: string, place: string): { token: string; spec: string } {
  const parts = editParts(text);
  if (parts === undefined) throw new InputError(place, `is not TOKEN=SPEC; a SPEC is ${known}`);
  return parts;
}

/** @param spec a SPEC, or a factor  @throws InputError if it is none, or asks for what no probability can be */
export function targetOf(spec: string | number, place: string): Target {
  const target = typeof spec === "number" ? { scale: spec } : parseSpec(spec);
  if (target === undefined) throw new InputError(place, `${shown(spec, 200)} is no SPEC; it is ${known}`);
  return checkedTarget(target, place);
}

/** @throws InputError if it asks for what no probability can be */
export function checkedTarget(target: Target, place: string): Target {
  const refuse = (problem: string): never => {
    throw new InputError(place, problem);
  };
  if ("scale" in target && !(target.scale > 0 && Number.isFinite(target.scale))) {
    refuse(`scales by ${target.scale}; a finite number above 0 is wanted (ban for next to nothing)`);
  }
  if (isBan(target) && target.ban !== true && !(target.ban > 0 && target.ban < 1)) {
    refuse(`bans by a factor of ${target.ban}; one below 1 is wanted`);
  }
  if ("probability" in target && !(target.probability > 0 && target.probability < 1)) {
    refuse(`asks for a probability of ${target.probability}; a number between 0 and 1 is wanted`);
  }
  if ("logOdds" in target && !Number.isFinite(target.logOdds)) refuse(`adds ${target.logOdds} to the log-odds`);
  return target;
}
