/** What unembed makes of the cases that random-tokenizers.py has written; prints those that differ. */
import { readFileSync } from "node:fs";
import { loadTokenizer } from "../../../src/corpus/tokenizer/tokenizer.js";
import { InputError } from "../../../src/errors.js";
import { bytesSource } from "../../../src/tensor/byte-source.js";

interface Case {
  file: { normalizer: unknown; pre_tokenizer: unknown; decoder: unknown; added_tokens: unknown; model: { type: string } };
  error?: string;
  texts: string[];
  ids: (number[] | null)[];
  decoded: (string | null)[];
}

const cases: Case[] = JSON.parse(readFileSync(process.argv[2]!, "utf8"));
const counts = { same: 0, refused: 0, refusedByBoth: 0, readThoughRefused: 0, different: 0 };
const refusals = new Map<string, number>();
for (const { file, error, texts, ids, decoded } of cases) {
  const bytes = new TextEncoder().encode(JSON.stringify(file));
  const open = async (name: string) => (name === "tokenizer.json" ? bytesSource(name, bytes) : undefined);
  try {
    const tokenizer = await loadTokenizer({ name: "case", open });
    if (error !== undefined) {
      counts.readThoughRefused++;
      continue;
    }
    let refusal: InputError | undefined;
    const wrong = texts.flatMap((text, index): { text: unknown; wanted: unknown; got: unknown }[] => {
      const wanted = ids[index]!;
      // The Rust tokenizers failed.
      if (wanted === null) return [];
      let got: unknown;
      try {
        got = tokenizer.encode(text);
      } catch (failure) {
        if (!(failure instanceof InputError)) throw failure;
        refusal = failure;
        return [];
      }
      if (JSON.stringify(got) !== JSON.stringify(wanted)) return [{ text, wanted, got }];
      if (decoded[index] === null) return [];
      const gotText = tokenizer.decode(wanted);
      return gotText === decoded[index] ? [] : [{ text: file.decoder, wanted: decoded[index], got: gotText }];
    });
    if (wrong.length === 0 && refusal !== undefined) throw refusal;
    if (wrong.length === 0) counts.same++;
    else {
      counts.different++;
      const { normalizer, pre_tokenizer, added_tokens, model } = file;
      const about = JSON.stringify({ normalizer, pre_tokenizer, added_tokens, model: { ...model, vocab: 0, merges: 0 } });
      console.log(about.replace(/"precompiled_charsmap":"[^"]*"/g, '"map":""').slice(0, 1500));
      console.log(`  ${wrong.length}: ${JSON.stringify(wrong[0]).slice(0, 900)}`);
    }
  } catch (failure) {
    if (!(failure instanceof InputError)) throw failure;
    if (error === undefined) {
      counts.refused++;
      refusals.set(failure.message.slice(0, 200), (refusals.get(failure.message.slice(0, 200)) ?? 0) + 1);
    } else counts.refusedByBoth++;
  }
}
console.log(counts, refusals);
