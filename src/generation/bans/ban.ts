import { InputError } from "../../errors.js";

/**
 * What must not be written: a phrase, found wherever it stands in the text, or a pattern, as a RegExp or as "/source/flags".
 * docs/phrases.md says how both are matched.
 */
export type TextBan = string | RegExp;

/**
 * How a text keeps clear of what is banned: `aligned` takes back as much as speculative sampling would (Melcer et al. 2024,
 * arXiv 2410.01103), `mask` forbids the token that would complete it, `reject` begins the text again.
 */
export type TextBanMethod = "aligned" | "mask" | "reject";

export const banMethods = ["aligned", "mask", "reject"] as const satisfies readonly TextBanMethod[];

/** What must not be written, and how that is held. */
export interface BanOptions {
  /** Phrases and patterns. Default: none. */
  ban?: readonly TextBan[] | undefined;
  /** Default "aligned". */
  banMethod?: TextBanMethod | undefined;
  /** Whether phrases and patterns match whatever the case. Default false. */
  ignoreCase?: boolean | undefined;
  /** How many tokens `aligned` takes back at most, and holds back while a text is written. Default 32. */
  banLag?: number | undefined;
  /** How often `reject` begins a text before it gives up. Default 100. */
  banTries?: number | undefined;
}

export const defaultBanLag = 32;
export const defaultBanTries = 100;

/** A phrase or a pattern, compiled. */
export interface CompiledBan {
  /** As it was given. */
  readonly name: string;
  /** Global, so that it can begin anywhere. */
  readonly pattern: RegExp;
  /** Of a phrase, characters that a match has at most. A pattern's match may have any number, and what follows it may undo it. */
  readonly longest: number | undefined;
}

/**
 * @param options whether case is ignored
 * @throws InputError if one is no pattern
 */
export function compiledBans(bans: readonly TextBan[], ignoreCase: boolean): readonly CompiledBan[] {
  return bans.map((ban) => {
    const name = `ban ${typeof ban === "string" ? JSON.stringify(ban) : `${ban}`}`;
    const [, source, flags] =
      typeof ban === "string" ? (/^\/(.+)\/([a-z]*)$/s.exec(ban) ?? []) : ["", ban.source, ban.flags];
    if (source === undefined) {
      // A letter and the same in another case may have one and two code units.
      return { name, pattern: phrasePattern(ban as string, ignoreCase), longest: 2 * (ban as string).length };
    }
    const ownFlags = flags!.replace(/[gy]/g, "");
    try {
      return {
        name,
        pattern: new RegExp(source, `${ownFlags}g${ignoreCase && !ownFlags.includes("i") ? "i" : ""}`),
        longest: undefined,
      };
    } catch (error) {
      throw new InputError(name, `is no pattern: ${(error as Error).message}`, { cause: error });
    }
  });
}

function phrasePattern(phrase: string, ignoreCase: boolean): RegExp {
  const source = phrase.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(source, ignoreCase ? "giu" : "gu");
}
