import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import type { Document } from "../corpus.js";
import { jsonDocuments, jsonLinesDocuments } from "./json-documents.js";
import { textStream } from "./text-stream.js";

const lines = [
  '{"text": "one \\u00e9 \\"two\\"", "n": [1, -2.5e3, null]}',
  '{"n": {"a": true}, "text": "three\\n"}',
  '{"text": ""}',
];
const forms = {
  "a.jsonl": { bytes: new TextEncoder().encode(`${lines.join("\n")}\n`), read: jsonLinesDocuments },
  "a.json": { bytes: new TextEncoder().encode(`[${lines.join(", ")}]`), read: jsonDocuments },
};

async function* parts(bytes: Uint8Array) {
  for (let i = 0; i < bytes.length; i += 7) yield bytes.subarray(i, i + 7);
}

async function textLength(documents: AsyncIterable<Document>): Promise<number> {
  let length = 0;
  for await (const document of documents) {
    if ("text" in document) for await (const part of document.text) length += part.length;
  }
  return length;
}

test.each(Object.entries(forms))(
  "%s: damaged at random, it is read or refused in one line",
  async (name, { bytes, read }) => {
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(mutations(bytes.length), async (mutate) => {
        const damaged = mutate(bytes);
        try {
          // No text is longer than what it was written as.
          expect(await textLength(read(name, textStream(name, parts(damaged)), "text"))).toBeLessThanOrEqual(
            damaged.length,
          );
          seen.read++;
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toMatch(/^a\.json[^\n]*$/);
          seen.refused++;
        }
      }),
      { numRuns: 500, interruptAfterTimeLimit: 20_000 },
    );
    expect(seen.read).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  },
);
