import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { loadTokenizer, type Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { openFolder } from "../node/files/file-source.js";
import { textPieces } from "./text-pieces.js";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
});

function pieces(ids: readonly number[], opening: readonly number[] = []) {
  const stream = textPieces(tokenizer, opening);
  const whole = ids.map((id) => stream.push(id));
  return [...whole, stream.end()].filter((piece) => piece !== undefined);
}

it("gives no half character, and everything in the end", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.string({ unit: "grapheme", maxLength: 10 }),
      (a, b) => {
        const ids = tokenizer.encode(b);
        const found = pieces(ids, tokenizer.encode(a));
        expect(found.map(({ text }) => text).join("")).toBe(tokenizer.decode(ids));
        expect(found.flatMap((piece) => piece.ids)).toEqual(ids);
        for (const { text } of found) if (!b.includes("\ufffd")) expect(text).not.toContain("\ufffd");
      },
    ),
  );
});

it("waits for all bytes of a character, and shows what never became one", () => {
  const smile = tokenizer.encode("\u{1f600}");
  expect(smile.length).toBeGreaterThan(1);
  expect(pieces(smile)).toEqual([{ text: "\u{1f600}", ids: smile }]);
  const cut = [...tokenizer.encode("a"), ...smile.slice(0, -1)];
  expect(pieces(cut).map(({ text }) => text)).toEqual(["a", "\ufffd"]);
  const [the] = tokenizer.encode(" the");
  expect(pieces([smile[0]!, the!])).toEqual([{ text: "\ufffd the", ids: [smile[0], the] }]);
});
