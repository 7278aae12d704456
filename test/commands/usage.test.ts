import { expect, test } from "vitest";
import { unembed } from "../support/command.js";

const commands = ["analyze", "steer", "reduce", "compare", "generate", "dynamics", "count", "export"];
/** Without these a command says first that they are missing. */
const needed: Record<string, string[]> = { export: ["--out", "test/never-written"] };
const ids = "test/goldens/tiny-books/text.txt";
const edit = ["--edit", " the=x2"];
const nowhere = ["--out", "test/never-written"];

test.each<[RegExp, string[]]>([
  [/unknown command 'analyse'/, ["analyse"]],
  ...commands.map((command): [RegExp, string[]] => [
    /unknown option '--nonsense'/,
    [command, ...(needed[command] ?? []), "--nonsense"],
  ]),
  // Numbers.
  [/'--tokens <n>' argument '-3' is invalid/, ["analyze", "--tokens", "-3"]],
  [/'--threads <n>' argument '0' is invalid/, ["compare", "a", "b", "--threads", "0"]],
  [/'--threads <n>' argument '100000' is invalid/, ["analyze", "--threads", "100000"]],
  [/'--device <device>' argument 'abacus' is invalid/, ["generate", "--device", "abacus"]],
  [/'--seed <n>' argument '1.5' is invalid/, ["dynamics", "--seed", "1.5"]],
  [/'--seed <n>' argument '9007199254740993' is invalid/, ["reduce", "--seed", "9007199254740993"]],
  [/'--movers <n>' argument '0' is invalid/, ["compare", "a", "b", "--movers", "0"]],
  [/'--vocab-size <n>' argument 'all' is invalid/, ["count", "--vocab-size", "all"]],
  [/'--top-p <p>' argument '2' is invalid/, ["generate", "--prompt", "a", "--top-p", "2"]],
  [/'--top-p <p>' argument '0' is invalid/, ["generate", "--prompt", "a", "--top-p", "0"]],
  [/'--temperature <t>' argument '-1' is invalid/, ["generate", "--prompt", "a", "--temperature", "-1"]],
  [/'--temperature <t>' argument 'hot' is invalid/, ["generate", "--prompt", "a", "--temperature", "hot"]],
  [/'--top-k <k>' argument '0' is invalid/, ["generate", "--prompt", "a", "--top-k", "0"]],
  [/'--max-tokens <n>' argument '0' is invalid/, ["generate", "--prompt", "a", "--max-tokens", "0"]],
  [/'--n <n>' argument '0' is invalid/, ["generate", "--prompt", "a", "--n", "0"]],
  [/'--fraction <share>' argument '1' is invalid/, ["reduce", "--fraction", "1", ...nowhere]],
  [/'--fraction <share>' argument '-0.1' is invalid/, ["reduce", "--fraction", "-0.1", ...nowhere]],
  [/'--keep <k>' argument '0' is invalid/, ["reduce", "--keep", "0", ...nowhere]],
  [/'--max-kl <nats>' argument '0' is invalid/, ["reduce", "--max-kl", "0", ...nowhere]],
  [/'--size <lambda>' argument 'NaN' is invalid/, ["steer", ...edit, "--size", "NaN", ...nowhere]],
  [/'--sweep <scales>' argument '3..1' is invalid/, ["steer", "--sweep", "3..1"]],
  [/'--per-band <n>' argument '1001' is invalid/, ["steer", "--sweep", "2", "--per-band", "1001"]],
  [/'--texts \[n\]' argument '10001' is invalid/, ["steer", ...edit, "--texts", "10001", ...nowhere]],
  // What is missing.
  [/missing required argument 'model-b'/, ["compare", "tiny-books"]],
  [/^unembed: --prompt: is missing/, ["generate"]],
  [/'--prompt-ids <ids>' argument '1,,2' is invalid/, ["generate", "--prompt-ids", "1,,2"]],
  [/'--prompt-ids <ids>' argument 'some.txt' is invalid/, ["generate", "--prompt-ids", "some.txt"]],
  [/^unembed: reduce: one of --fraction, --keep, --max-kl and --plan/, ["reduce", ...nowhere]],
  [/^unembed: --out: is missing/, ["reduce", "--keep", "9"]],
  [/^unembed: steer: one of --edit, --edits and --plan is wanted/, ["steer", ...nowhere]],
  [/^unembed: steer: one of --edit, --edits and --plan is wanted/, ["steer", "--dry-run"]],
  [/^unembed: --out: is missing/, ["steer", ...edit]],
  [/^unembed: --frequencies: is missing/, ["dynamics", "assets/tiny-books"]],
  // What contradicts.
  [/^unembed: steer: one of --edit, --edits and --plan/, ["steer", ...edit, "--edits", "edits.yaml", ...nowhere]],
  [/^unembed: --each: is for new edits/, ["steer", "--plan", "plan.json", "--each", ...nowhere]],
  [/^unembed: --salient: is for --method salient/, ["steer", ...edit, "--salient", "3", ...nowhere]],
  [/^unembed: --exact: is for --method constant/, ["steer", ...edit, "--exact", ...nowhere]],
  [/^unembed: --size: is for --method nearest/, ["steer", ...edit, "--method", "mean", "--size", "1", ...nowhere]],
  [/^unembed: --report: is for experiments without --out/, ["steer", ...edit, "--report", "r", ...nowhere]],
  [/^unembed: --corpus: - can be read only once/, ["steer", ...edit, "--corpus", "-", ...nowhere]],
  [/^unembed: --check: - can be read only once/, ["steer", ...edit, "--check", "-", ...nowhere]],
  [/^unembed: reduce: one of --fraction, --keep/, ["reduce", "--keep", "4", "--fraction", "0.3", ...nowhere]],
  [/^unembed: --steps: is for --compensate refine/, ["reduce", "--keep", "4", "--steps", "3", ...nowhere]],
  [
    /^unembed: --metric: is for --order/,
    ["reduce", "--keep", "4", "--order", "slope", "--metric", "logits", ...nowhere],
  ],
  [/^unembed: --seed: contradicts --plan/, ["reduce", "--plan", "half", "--seed", "4", ...nowhere]],
  [/^unembed: --no-bias: is for --format/, ["reduce", "--keep", "4", "--no-bias", "--format", "onnx", ...nowhere]],
  [/^unembed: --head-tensor: is for --hidden/, ["analyze", "--head-tensor", "w", ...nowhere]],
  [/^unembed: --token-dtype: is for text/, ["analyze", "--hidden", "h.npy", "--token-dtype", "uint16", ...nowhere]],
  [/^unembed: --corpus: and --frequencies exclude/, ["dynamics", "--frequencies", "a.npy", "--corpus", "b.txt"]],
  [/^unembed: --seen-only: is for counts/, ["dynamics", "--probabilities", "run", "--seen-only", ...nowhere]],
  [/^unembed: --column: is for --corpus/, ["dynamics", "--column", "text", ...nowhere]],
  [/^unembed: --list: takes one repository/, ["dynamics", "--list"]],
  [/^unembed: --n: is for writing texts/, ["generate", "--prompt", "a", "--n", "2", "--show-probabilities"]],
  [/standard input can be read only once/, ["analyze", "--corpus", "-", "-", ...nowhere]],
  // What is said in the command line's own words.
  [/^unembed: --edit: edit " the": is not TOKEN=SPEC/, ["steer", "--edit", " the", ...nowhere]],
  [/^unembed: --edit: .*a finite number above 0/, ["steer", "--edit", " the=x0", ...nowhere]],
  [/^unembed: --edit: .*a number between 0 and 1/, ["steer", "--edit", " the=p=1.5", ...nowhere]],
  [/^unembed: --edit: .*one below 1 is wanted/, ["steer", "--edit", " the=ban=2", ...nowhere]],
  [/^unembed: --out: .*no ending that says how to write it/, ["count", "--out", "counts.xlsx"]],
  // A model behind an option of several values.
  [
    /^unembed: --corpus: took tiny-books too.* unembed analyze tiny-books --corpus/,
    ["analyze", "--corpus", ids, "tiny-books"],
  ],
  [/^unembed: --corpus: took assets\/tiny-books too/, ["count", "--corpus", ids, "assets/tiny-books"]],
  [/^unembed: --corpus: took org\/name@main too/, ["dynamics", "--corpus", ids, "org/name@main"]],
  [/^unembed: --edit: took assets\/tiny-books too/, ["steer", ...edit, "assets/tiny-books", ...nowhere]],
  [/unembed: --corpus: took b\/c too.* unembed compare a\/b b\/c/, ["compare", "a/b", "--corpus", ids, "b/c"]],
])("%s is bad usage", async (message, args) => {
  const { code, stdout, stderr } = await unembed(args);
  expect(stderr).toMatch(message);
  // commander's own, or one line of ours.
  if (stderr.startsWith("unembed:")) expect(stderr.trim().split("\n")).toHaveLength(1);
  else expect(stderr).toMatch(/^error: /);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test.each([[], ...commands.map((command) => [command])])("the help of %s fits 80 columns", async (...command) => {
  const { code, stdout, stderr } = await unembed([...command.filter(Boolean), "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: unembed/);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("the version is one number", async () => {
  expect(await unembed(["--version"])).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
});

test("explore says that a model does not exist before it serves a page", async () => {
  const { code, stdout, stderr } = await unembed(["explore", "./no-such-model", "--no-open"]);
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: "",
    stderr: "unembed: ./no-such-model: does not exist\n",
  });
});
