import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";

let folder: string;
let small: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-words-"));
  small = await smallBooks(join(folder, "small"));
});
afterAll(() => rm(folder, { recursive: true }));

const little = ["--tokens", "2000", "--check-tokens", "400", "--probes", "400", "--quiet"];

test("words of several tokens: what is written, said and applied again", async () => {
  const out = join(folder, "edited");
  const edits = ["--edit", "@word:Voldemort=x0.05", "--edit", "@word:Dolokhov=ban", "--edit", " the=x0.5"];
  const args = ["steer", small, ...edits, ...little, "--out", out, "--json"];
  const { code, stdout, stderr } = await unembed(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { edits: done, warnings } = JSON.parse(stdout);
  const [word, ban, the] = done;
  expect(word).toMatchObject({ label: "@word:Voldemort=x0.05", method: "nearest", met: true });
  expect(word.ideal.fit).toBeCloseTo(1, 1);
  expect(word.reached).toBeCloseTo(0.05, 5);
  expect(word.word.pieces.map(({ text }: { text: string }) => text)).toEqual([" V", "old", "em", "ort"]);
  expect(word.ids).toEqual([word.word.pieces[word.word.piece - 1].id]);
  const { before, after } = word.word.probability;
  expect(Math.abs(Math.log(after / before / 0.05))).toBeLessThan(1);
  expect(word.word.elsewhere.contexts).toBeGreaterThan(5000);
  expect(word.word.uses.found).toBe(0);
  expect(ban).toMatchObject({ method: "combination", bound: { proven: true } });
  expect(ban.word.probability.after).toBeLessThan(ban.word.probability.before);
  expect(the).not.toHaveProperty("word");
  expect(the.reached).toBeCloseTo(0.5, 3);
  expect(warnings).toEqual([
    expect.stringContaining('" Voldemort" stands nowhere in the fitting text'),
    expect.stringContaining('is changed in every context, not in " Dolokhov" alone'),
  ]);
  const { plan } = JSON.parse(await readFile(join(out, "unembed.json"), "utf8"));
  expect(plan).toMatchObject({
    schemaVersion: 2,
    edits: [{ prefix: [{ text: " V" }], method: "nearest", lambda: 1e-4 }, {}, {}],
  });
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("Words of several tokens");

  const again = join(folder, "again");
  const plans = ["--plan", join(out, "unembed.json")];
  const applied = await unembed(["steer", small, ...plans, ...little, "--out", again]);
  expect(applied).toMatchObject({ code: 0, stderr: "" });
  const weights = (name: string) => readFile(join(name, "model.safetensors"));
  expect((await weights(again)).equals(await weights(out))).toBe(true);
});
