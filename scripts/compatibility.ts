// Prints docs/compatibility.md from the code and the tests' checkpoints: npx tsx scripts/compatibility.ts > docs/compatibility.md
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { architectures } from "../src/model/architectures/index.js";
import { activationNames } from "../src/model/layers.js";
import { ropeKinds } from "../src/model/rope.js";

const goldens = new URL("../test/goldens/arch/", import.meta.url);

type Row = readonly string[];

/** Layouts of a checkpoint's weights. */
const fileLayouts: Row[] = [
  ["`model.safetensors`", "mapped where it lies"],
  ["`model.safetensors.index.json` and its shards", "mapped where they lie"],
  [
    "`pytorch_model.bin`",
    "zip file of PyTorch 1.6 and later; its pickle is read, never executed; mapped where it lies",
  ],
  ["`pytorch_model.bin.index.json` and its shards", "the same"],
];

/** Number types of weights, as safetensors names them. */
const numberTypes: Row[] = [
  ["F32", "used as it is"],
  ["F16, BF16, F64", "converted to float32 when the model is loaded"],
  ["quantized (GPTQ, AWQ, bitsandbytes, FP8, GGUF)", "refused"],
];

const corpusFormats: Row[] = [
  ["`.txt`, `.text`, `.md`", "UTF-8; folders are searched for these endings"],
  ["any other file", "read as UTF-8 text when named or matched by a pattern"],
  ["`-`", "standard input"],
];

const modelNames: Row[] = [
  ["`path/to/folder`", "`config.json`, weights and `tokenizer.json` in one folder"],
  ["`tiny-books`", "comes with unembed"],
];

/** The page as Markdown. */
export function compatibilityPage(): string {
  return [
    "# What works",
    "Made by `npx tsx scripts/compatibility.ts`; the tests fail when it is out of date.",
    "## Architectures",
    [
      "By `model_type` in `config.json`. Every checkpoint named in the last column is a small one with random weights in",
      "`test/goldens/arch/`; its hidden states and logits agree with those of PyTorch and transformers to 1e-5 of the",
      "largest magnitude or better. Configs of transformers 4 and 5 are both read. A field that changes the arithmetic and",
      "is not supported is an error that names it.",
    ].join("\n"),
    table(["`model_type`", "what is read", "compared with PyTorch in"], architectureRows()),
    `Rotary positions (\`rope_type\`) of all families that have them: ${codeList(ropeKinds)}.`,
    `Activation functions: ${codeList(activationNames)}.`,
    "The head: output embedding tied or not, output bias, logit scale, soft cap on logits.",
    "## Weights",
    table(["file", "how"], fileLayouts),
    table(["number type", "how"], numberTypes),
    "## Names of models",
    table(["name", "what"], modelNames),
    "## Corpora",
    table(["form", "how"], corpusFormats),
    "",
  ]
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

function architectureRows(): Row[] {
  const checked = goldensByModelType();
  return architectures.map(({ modelTypes, description }) => [
    modelTypes.map((type) => `\`${type}\``).join(", "),
    description,
    modelTypes.flatMap((type) => checked.get(type) ?? []).join(", "),
  ]);
}

function goldensByModelType(): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const name of readdirSync(goldens).sort()) {
    const config: { model_type: string } = JSON.parse(readFileSync(new URL(`${name}/config.json`, goldens), "utf8"));
    names.set(config.model_type, [...(names.get(config.model_type) ?? []), name]);
  }
  return names;
}

function table(head: Row, rows: readonly Row[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const codeList = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(compatibilityPage());
