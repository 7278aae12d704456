import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { bytesSource, type Folder } from "../../tensor/byte-source.js";
import { keptSet } from "../plan/kept-tokens.js";
import { readTrimmableTokenizer } from "./trimmable-tokenizer.js";

const folder = new URL("../../../test/goldens/tokenizers/", import.meta.url);
/** Whether they read everything, and those whose words are whole tokens or unknown. */
const kinds = {
  ...{
    gpt2: true,
    llama2: true,
    llama3: true,
    neox: true,
    falcon: true,
    metaspace: false,
    digits: true,
    unigram: false,
  },
  ...{ "bert-words": false, words: false, "white-space": false },
};
const wholeWords = ["bert-words", "words", "white-space"];

function asFolder(text: string): Folder {
  return {
    name: "cut",
    open: async (name) => (name === "tokenizer.json" ? bytesSource(name, new TextEncoder().encode(text)) : undefined),
  };
}

async function opened(name: string) {
  const text = readFileSync(new URL(`${name}.json`, folder), "utf8");
  const trimmable = await readTrimmableTokenizer(bytesSource(`${name}.json`, new TextEncoder().encode(text)));
  return { whole: await loadTokenizer(asFolder(text)), trimmable };
}

const words = fc.stringMatching(/^[a-zA-Z0-9 '.,!\n]{0,12}$/);
const any = fc.string({ unit: "grapheme", maxLength: 12 });
const texts = fc.array(fc.oneof(words, any, fc.constantFrom(" the", " and", "<s>", "[UNK]", "   ", "ing")), {
  maxLength: 12,
});

describe.each(Object.entries(kinds))("%s", (name, readsEverything) => {
  test("cut at random: what stays whole is read as before, and nothing is lost that was not", async () => {
    const { whole, trimmable } = await opened(name);
    expect(trimmable.rules.readsEverything).toBe(readsEverything);
    const ids = [...trimmable.tokens.keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: 8, maxLength: 8 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.constantFrom(0.1, 0.5, 0.9),
        async (parts, chances, share) => {
          const wanted = ids.filter(() => chances.next().value! < share);
          const kept = keptSet(trimmable, [], wanted).ids;
          expect(new Set(kept)).toEqual(new Set([...kept, ...wanted]));
          const newIds = new Map(Array.from(kept, (old, id) => [old, id]));
          const cut = await loadTokenizer(asFolder(trimmable.trimmed(newIds)));
          expect(cut.vocabSize).toBe(kept.length);
          for (const [old, id] of newIds) expect(cut.entry(id)).toBe(whole.entry(old));
          for (const text of parts.map((part) => part.join(""))) {
            const before = whole.encode(text);
            const after = cut.encode(text);
            if (before.every((id) => newIds.has(id))) expect(after).toEqual(before.map((id) => newIds.get(id)));
            else if (!wholeWords.includes(name)) expect(cut.decode(after)).toBe(whole.decode(before));
          }
        },
      ),
      { numRuns: 6 },
    );
  });
});
