import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { Model } from "../../model/model.js";
import type { TrimPlan } from "../plan/trim-plan.js";
import type { TrimProof } from "../trim-run.js";

/** Text of many scripts, signs and forms, whatever the checked text holds. */
const samples = [
  " the quick brown fox; The Quick BROWN fox's 12,345.67 €  \t\n\n  naïve café Ångström",
  "Привет, мир! Γειά σου Κόσμε. שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก",
  "日本語のテキスト、漢字とかな。中文字符，标点。한국어 텍스트",
  "🙂👩‍👩‍👧‍👦🏳️‍🌈 ✂️ ½ ﬁ ① 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u200b\u00a0\u202e",
  'for (let i = 0; i < n; i++) { a[i] += f("x\\n") ?? null; } // ----====####\r\n\tdef g(x):\n\t\treturn x**2',
  "<s></s><|endoftext|>[UNK][CLS]<unk><0x41>▁▁Ġ##",
];
/** Characters of one piece of text, and pieces whose logits are compared. */
const pieceLength = 48;
const comparedPieces = 8;

/**
 * Reads a trimmed model back against the original: text whose tokens all stay is read with the same tokens; text comes back as it
 * went in; the logits of the tokens that stay are the original's but for rounding.
 * @param text any
 * @throws Error if one of these is not so
 */
export async function proveTrim(
  original: Model,
  written: Model,
  { kept }: Pick<TrimPlan, "kept">,
  { text, readsEverything }: { text: string; readsEverything: boolean },
): Promise<TrimProof> {
  const [before, after] = [await original.tokenizer(), await written.tokenizer()];
  const newIds = new Map(Array.from(kept, (old, id) => [old, id]));
  const pieces = [...samples, ...piecesOf(text)];
  const same: number[][] = [];
  let roundTrips = 0;
  for (const piece of pieces) {
    const old = before.encode(piece);
    const fresh = after.encode(piece);
    if (old.every((id) => newIds.has(id))) {
      same.push(fresh);
      const differs = old.length !== fresh.length || old.some((id, t) => newIds.get(id) !== fresh[t]);
      if (differs)
        throw new Error(`the trimmed tokenizer reads ${shown(piece)} with other tokens, though all of its own stay`);
    }
    if (before.decode(old) !== piece) continue;
    if (after.decode(fresh) === piece) roundTrips++;
    else if (readsEverything) throw new Error(`the trimmed tokenizer does not give ${shown(piece)} back`);
  }
  const logitDifference = await largestDifference(original, written, same, { kept, after });
  if (!(logitDifference < 1e-3)) {
    throw new Error(
      `logits of tokens that stay differ by ${logitDifference} of the largest: the model was not written as it should be`,
    );
  }
  return { sameTokens: same.length, roundTrips, logitDifference };
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const space = text.slice(start + pieceLength).search(/\s/);
    const end = space < 0 ? text.length : start + pieceLength + space;
    yield text.slice(start, end);
    start = end;
  }
}

async function largestDifference(
  original: Model,
  written: Model,
  pieces: readonly number[][],
  { kept, after }: { kept: Int32Array; after: Tokenizer },
): Promise<number> {
  const longest = Math.min(original.maxPositions ?? 256, 256);
  const windows = pieces
    .filter(({ length }) => length > 1)
    .slice(-comparedPieces)
    .map((ids) => ids.slice(0, longest));
  // Where no piece stays whole, the tokens themselves are read in their order.
  if (windows.length === 0)
    windows.push(Array.from({ length: Math.min(longest, kept.length, after.vocabSize) }, (_, id) => id));
  let [difference, largest] = [0, 0];
  const ofWritten = await windowLogits(written, windows);
  const ofOriginal = await windowLogits(
    original,
    windows.map((ids) => ids.map((id) => kept[id]!)),
  );
  for (const [w, ids] of windows.entries()) {
    const [fresh, old] = [await ofWritten(w), await ofOriginal(w)];
    for (let t = 0; t < ids.length; t++) {
      for (const [id, oldId] of kept.entries()) {
        const was = old[t * original.vocabSize + oldId]!;
        difference = Math.max(difference, Math.abs(fresh[t * written.vocabSize + id]! - was));
        largest = Math.max(largest, Math.abs(was));
      }
    }
  }
  return largest === 0 ? difference : difference / largest;
}

/** Runs windows through a model's layers. @returns the logits of one of them, [time, V] */
async function windowLogits(model: Model, windows: readonly number[][]) {
  const inOrder = async function* () {
    for (const ids of windows) yield Int32Array.from(ids);
  };
  const pass = await model.pass(inOrder());
  const hidden: Float32Array[] = [];
  const d = model.hiddenSize;
  for await (const batch of pass.batches) {
    const rows = await pass.hiddenOf(batch);
    for (let start = 0; start < rows.length; start += batch.length * d) {
      hidden.push(rows.slice(start, start + batch.length * d));
    }
  }
  await pass.release();
  return (window: number) => model.logits(hidden[window]!);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
