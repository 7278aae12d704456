import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import { type BanOptions, banMethods, compiledBans, defaultBanLag, defaultBanTries } from "./ban.js";
import { type BannedDrawing, defaultRedraws, type Watch } from "./banned-drawer.js";
import { banMatcher } from "./matching.js";
import { textWatch } from "./text-watch.js";

/** Bans as texts are written under them. */
interface OpenBans {
  readonly drawing: BannedDrawing;
  /** Follows one text. @param opening ids of its prompt @throws InputError if that says something banned by itself */
  watch(opening: readonly number[]): Watch;
}

/**
 * Compiles what must not be written, once for all texts.
 * @returns undefined where nothing is banned
 * @throws InputError if an option makes no sense, a ban is no pattern or matches the empty text, or there is no text to match
 */
export function openBans(
  { name, folder }: Model,
  tokenizer: Tokenizer | undefined,
  options: BanOptions & { temperature?: number | undefined },
  length: { endOfText: ReadonlySet<number>; maxTokens: number },
): OpenBans | undefined {
  const {
    ban = [],
    banMethod: method = "aligned",
    banLag: lag = defaultBanLag,
    banTries: tries = defaultBanTries,
  } = options;
  if (!banMethods.includes(method))
    throw new InputError("banMethod", `is ${method}; ${banMethods.join(", ")} are known`);
  for (const [option, value] of Object.entries({ banLag: lag, banTries: tries })) {
    if (!(Number.isInteger(value) && value > 0))
      throw new InputError(option, `is ${value}; a whole number above 0 is wanted`);
  }
  if (ban.length === 0) return undefined;
  if (method === "reject" && options.temperature === 0) {
    throw new InputError(
      "banMethod",
      "is reject, which writes the text again, and temperature 0 writes the same one always",
    );
  }
  if (tokenizer === undefined) throw new InputError("ban", `is matched on text, and ${name} has no tokenizer.json`);
  const matcher = banMatcher(compiledBans(ban, options.ignoreCase ?? false), folder.endedAfter);
  return {
    drawing: { method, lag: method === "aligned" ? lag : 0, tries, redraws: defaultRedraws },
    watch: (opening) => textWatch(tokenizer, matcher, opening, length),
  };
}
