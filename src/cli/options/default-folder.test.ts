import { Command } from "commander";
import { expect, test } from "vitest";
import { corpusOption, forceOption, outOption, runOptions, seedOption, tokensOption } from "./common-options.js";
import { defaultName } from "./default-folder.js";

function nameOf(words: string, model = "tiny-books", shown = model): string {
  const command = new Command("analyze").addOption(corpusOption()).addOption(tokensOption()).addOption(seedOption("x"));
  runOptions(command.addOption(outOption("x")).addOption(forceOption("x")));
  command.parse(words.split(" ").filter(Boolean), { from: "user" });
  return defaultName(command, shown, model);
}

test.each([
  ["", "analyze-tiny-books"],
  ["--tokens 1000", "analyze-tiny-books-1000"],
  ["--seed 0 --threads 2 --json --quiet --force", "analyze-tiny-books"],
  ["--corpus texts/held-out.txt.gz", /^analyze-tiny-books-held-out-[0-9a-f]{6}$/],
  ["--corpus texts/*.txt --tokens 20", /^analyze-tiny-books-texts-20-[0-9a-f]{6}$/],
  ["--corpus hf://datasets/org/name", /^analyze-tiny-books-name-[0-9a-f]{6}$/],
  ["--corpus -", /^analyze-tiny-books-stdin-[0-9a-f]{6}$/],
  ["--seed 3", /^analyze-tiny-books-[0-9a-f]{6}$/],
])("%s", (words, wanted) => {
  expect(nameOf(words)).toMatch(wanted);
  expect(nameOf(words)).toBe(nameOf(words));
});

test("other arguments have another name", () => {
  const words = [
    "",
    "--tokens 5",
    "--seed 5",
    "--corpus a",
    "--corpus a b",
    "--corpus b a",
    "--corpus x/a",
    "--corpus a.txt",
  ];
  const names = words.flatMap((one) => [nameOf(one), nameOf(one, "m/tiny-books", "tiny-books"), nameOf(one, "other")]);
  expect(new Set(names).size).toBe(names.length);
});
