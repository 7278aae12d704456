import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-refusals-"));
  const { stdout } = await unembed(["steer", "--edit", " the=x2", "--dry-run", "--json"]);
  const plan = JSON.parse(stdout);
  const { vocabulary } = plan;
  await writeFile(at("plan.json"), stdout);
  await writeFile(at("other-plan.json"), JSON.stringify({ ...plan, vocabulary: { ...vocabulary, sha256: "0" } }));
  await writeFile(at("list.txt"), " the\n\n xylophone\n");
  await writeFile(at("far.yaml"), '- {token: "@file:/etc/hostname", spec: x2}\n');
  await mkdir(at("edits"));
  await writeFile(join(at("edits"), "near.yaml"), `- {token: "@file:${at("edits/below.txt")}", spec: x2}\n`);
  await writeFile(join(at("edits"), "below.txt"), " xylophone\n");
  await writeFile(at("edits.yaml"), '" the": x2\n" sea": tripled\n');
  await writeFile(at("edits.json"), '[\n  {"token": " the", "spec": "x2"},\n  {"token": " sea"}\n]\n');
  await mkdir(at("headless"));
  for (const name of ["config.json", "tokenizer.json"]) {
    await cp(join("assets/tiny-books", name), join(at("headless"), name));
  }
  await cp("assets/tiny-books", at("broken"), { recursive: true });
  await writeFile(join(at("broken"), "model.safetensors"), "not a tensor");
  await cp("assets/tiny-books", at("own"), { recursive: true });
  await mkdir(at("letters"));
  await writeFile(join(at("letters"), "letter.txt"), "dear");
});
afterAll(() => rm(folder, { recursive: true }));

const small = ["--tokens", "2000", "--check-tokens", "500", "--probes", "100"];
const edit = (...edits: string[]) => ["--edit", ...edits];

test.each<[string, string[], RegExp, number?]>([
  ["no edit", [], /one of --edit, --edits and --plan is wanted/, 2],
  [
    "edits twice over",
    ["--edit", " the=x2", "--edits", "@edits.yaml"],
    /one of --edit, --edits and --plan is wanted/,
    2,
  ],
  ["an unknown token", edit(" Captin=ban"), /token " Captin": .*; near it are " Captain" \(id:2613\)/],
  [
    "a text of several tokens",
    edit(" antidisestablish=x2"),
    /is 6 tokens: " ant" \(id:2792\) .*name each by its text or id/,
  ],
  ["a text that several tokens show", edit("\\ufffd=x2"), /is shown by \d+ tokens; name one by its id: id:\d+/],
  ["an id that is no token", edit("id:8192=x2"), /token "id:8192": does not exist: the tokenizer has ids up to 8191/],
  ["a token of a list", edit("@file:@list.txt=x2"), /list\.txt: line 3: token " xylophone": is \d tokens/],
  ["a list beside the edits", ["--edits", "@edits/near.yaml"], /below\.txt: line 1: token " xylophone": is \d tokens/],
  [
    "a list that edits name elsewhere",
    ["--edits", "@far.yaml"],
    /hostname: lies neither beside nor below .*far\.yaml, nor/,
  ],
  ["a device for a list", edit("@file:/dev/zero=x2"), /\/dev\/zero: is not a regular file/],
  ["a list that is not there", edit("@file:@nowhere.txt=x2"), /nowhere\.txt/],
  ["a script that is none", edit("@script:Klingon=x2"), /is no Unicode script/],
  ["an empty word", edit("@word:=x2"), /--edit: edit "@word:=x2": names an empty word/, 2],
  ["a word that is one token", edit("@word:the=x2"), /is one token, " the" \(id:261\): name it plainly/],
  ["a word that cannot be spelled", edit("@word:a<|endoftext|>=x2"), /cannot be spelled by the model's tokenizer/],
  ["a mean probability of a word", edit("@word:Voldemort=p=0.1"), /has not: x0\.01, \+2, -2 or ban is wanted/, 2],
  [
    "a piece that a word has not",
    [...edit("@word:Voldemort=x2"), "--piece", "5"],
    /--piece: is 5; " Voldemort" has/,
    2,
  ],
  ["a piece of no word", [...edit(" the=x2"), "--piece", "1"], /--piece: is for words of several tokens/, 2],
  [
    "a word by a method for all contexts",
    [...edit("@word:Voldemort=x2"), "--method", "mean"],
    /which only the method nearest edits, not mean/,
  ],
  ["a set without members", edit("@script:Lao=ban"), /token "@script:Lao": matches no token/],
  ["a pattern of nothing", edit("/zzzzzz/=x2"), /token "\/zzzzzz\/": matches no token/],
  ["a pattern of everything", edit("/(?:)/=ban"), /matches all 8191 tokens/],
  ["a pattern of special tokens", edit("/endoftext/=ban"), /matches no token \(special ones/],
  ["a broken pattern", edit("/(/=ban"), /Invalid regular expression/],
  [
    "twice the same",
    edit(" the=x2", "id:261=x3"),
    /" the" \(id:261\) is edited twice: by " the=x2" and by "id:261=x3"/,
  ],
  ["overlapping sets", edit("/^ th/=x2", "/^ the$/=x3"), /is edited twice/],
  ["no target", edit(" the"), /edit " the": is not TOKEN=SPEC/, 2],
  ["a factor of 0", edit(" the=x0"), /scales by 0; a finite number above 0 is wanted/, 2],
  ["a negative factor", edit(" the=x-1"), /is not TOKEN=SPEC/, 2],
  ["NaN", edit(" the=xNaN"), /is not TOKEN=SPEC/, 2],
  ["infinity", edit(" the=x1e999"), /scales by Infinity/, 2],
  ["a probability of 0", edit(" the=p=0"), /asks for a probability of 0/, 2],
  ["a probability above 1", edit(" the=p=1.5"), /asks for a probability of 1\.5; a number between 0 and 1/, 2],
  [
    "probabilities above 1 together",
    edit(" the=p=0.7", " of=p=0.6"),
    /edits: the probabilities asked for add up to 1\.3;/,
  ],
  ["a factor that leads above 1", edit(" the=x1000"), /edits: the wanted mean probabilities add up to \d+/],
  ["a line of a file", ["--edits", "@edits.yaml"], /edits\.yaml: line 2: field " sea": "tripled" is no SPEC/],
  ["a field of a file", ["--edits", "@edits.json"], /edits\.json: line 3: edit 2: field "spec" is missing/],
  ["a file that is not there", ["--edits", "@nowhere.yaml"], /nowhere\.yaml/],
  ["a plan that is none", ["--plan", "package.json"], /package\.json: field schema/],
  [
    "a plan for another vocabulary",
    ["--plan", "@other-plan.json"],
    /other-plan\.json: is a plan for another vocabulary/,
  ],
  ["sets of a plan", ["--plan", "@plan.json", "--each"], /--each: is for new edits/, 2],
  [
    "more dimensions than there are",
    [...edit(" the=x2"), "--method", "salient", "--salient", "257"],
    /--salient: is 257; tiny-books has 256/,
  ],
  ["dimensions of another method", [...edit(" the=x2"), "--salient", "3"], /--salient: is for --method salient/, 2],
  ["exact, of another method", [...edit(" the=x2"), "--exact"], /--exact: is for --method constant/, 2],
  [
    "a separator of several tokens",
    [...edit(" the=x2"), "--separator", "and so on"],
    /--separator: "and so on" is \d tokens/,
  ],
  ["text that can be read once only", [...edit(" the=x2"), "--corpus", "-"], /--corpus: - can be read only once/, 2],
  ["text that is not there", [...edit(" the=x2"), "--check", "@nowhere.txt"], /nowhere\.txt: does not exist/],
  ["no head", ["@headless", ...edit(" the=x2")], /headless: .*safetensors/],
  ["a head that cannot be read", ["@broken", ...edit(" the=x2")], /broken\/model\.safetensors: /],
  ["a place inside the model", ["@own", ...edit(" the=x2"), "--out", "@own/edited"], /may not lie inside one another/],
  [
    "a place around the model",
    ["@own", ...edit(" the=x2"), "--out", "@.", "--force"],
    /may not lie inside one another/,
  ],
  ["a folder that is there", [...edit(" the=x2"), "--out", "@own"], /own: is there already; --force replaces it/],
  ["a folder that is no model", [...edit(" the=x2"), "--out", "@letters", "--force"], /letters: .*holds no model/],
  ["a file as the folder", [...edit(" the=x2"), "--out", "@list.txt", "--force"], /list\.txt: is a file/],
])("%s: one line, and nothing is written", async (_, args, message, exit = 1) => {
  const before = await readdir(folder, { recursive: true });
  const placed = args.map((arg) =>
    arg.replace(/(^|:)@(?!file:|script:|forms:|word:|emoji)/, (_match, start) => `${start}${folder}/`),
  );
  const out = args.includes("--out") ? [] : ["--out", at("out")];
  const { code, stdout, stderr } = await unembed(["steer", ...placed, ...small, ...out, "--quiet"]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
  expect(await readdir(folder, { recursive: true })).toEqual(before);
});

test.each([
  ["--size", "0"],
  ["--size", "NaN"],
  ["--salient", "0"],
  ["--tokens", "-1"],
  ["--method", "best"],
])("%s %s makes no sense as a command line", async (option, value) => {
  const { code, stderr } = await unembed(["steer", "--edit", " the=x2", "--out", at("out"), option, value]);
  expect(stderr).toContain(option);
  expect(code).toBe(2);
});
