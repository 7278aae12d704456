// Prints docs/compatibility.md from the code and the tests' checkpoints: npx tsx scripts/compatibility.ts > docs/compatibility.md
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { architectures } from "../src/model/architectures/index.js";
import { ggufArchitectures } from "../src/model/gguf/families.js";
import { activationNames } from "../src/model/layers/layers.js";
import { ropeKinds } from "../src/model/layers/rope.js";
import { onnxFolder, onnxName } from "../src/model/onnx-folder.js";
import { wrapperTypes } from "../src/model/text-part.js";
import { blockTypeNames } from "../src/tensor/blocks/block-types.js";
import { type CheckpointFile, checkpointLayouts } from "../src/tensor/checkpoint-layouts.js";

const goldens = ["arch", "flags"].map((folder) => new URL(`../test/goldens/${folder}/`, import.meta.url));

type Row = readonly string[];

const codeList = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

/** How each layout of a checkpoint's weights is read. */
const layoutNotes: Record<CheckpointFile, string> = {
  "model.safetensors": "mapped where it lies",
  "model.safetensors.index.json": "mapped where they lie",
  "pytorch_model.bin": "zip file of PyTorch 1.6 and later; its pickle is read, never executed; mapped where it lies",
  "pytorch_model.bin.index.json": "the same",
};

const fileLayouts: Row[] = [
  ...checkpointLayouts.map(({ file, sharded }) => [
    `\`${file}\`${sharded ? " and its shards" : ""}`,
    layoutNotes[file],
  ]),
  [
    "`NAME.gguf`, also in shards",
    `GGUF 2 and 3, of the architectures ${codeList(ggufArchitectures)} ([gguf.md](gguf.md))`,
  ],
];

/** Number types of weights, as safetensors names them. */
const numberTypes: Row[] = [
  ["F32", "used as it is"],
  ["F16, BF16, F64", "converted to float32 when the model is loaded"],
  [
    codeList(blockTypeNames),
    "of GGUF files ([gguf.md](gguf.md)): multiplied as blocks of 4 or 8 bits, never widened as a whole",
  ],
  [
    "F8_E4M3 with `weight_scale_inv` (DeepSeek, Qwen: `quant_method` `fp8`), gpt-oss's experts in MXFP4 (`_blocks`, `_scales`)",
    "widened to float32 as they are read, some rows at a time; written back byte for byte; activations are not rounded",
  ],
  [
    "quantized otherwise (GPTQ, AWQ, bitsandbytes, compressed-tensors, FP8 with one scale a matrix, MLX)",
    "refused by name",
  ],
];

/** What folders hold besides, or in place of, a plain checkpoint. */
const folderKinds: Row[] = [
  ["an index that lists too much or too little", "what the shards hold counts, as in transformers"],
  [
    "one copy of a tied pair, under either name",
    "read; also where only the metadata of `model.safetensors` says that two names are one",
  ],
  [
    "names behind `_orig_mod.`, `module.`, `base_model.model.` and the like",
    "read by the model's own names where all tensors have it, and said",
  ],
  ["keys of `rope_scaling` that nobody knows", "passed over, and said, as transformers does"],
  ["a byte order mark, or NaN in a field that is not used", "read"],
  ["a field twice in `config.json`", "refused before anything is read"],
  ["an adapter (LoRA and others), merged or not", "refused: merge it first"],
  ["an untied model without a head", "refused, naming `tie_word_embeddings`"],
  ["a git-lfs pointer in place of any file", "refused: `git lfs pull`"],
  ["weights that are not finite", "refused, naming the tensor, and the token of the row"],
];

/** Families that transformers.js cannot load, whoever wrote the file: onnxruntime runs what is written of them. */
export const notInTransformersJs: readonly string[] = [
  ...["exaone4", "glm4", "nemotron", "seed_oss"],
  ...["mixtral", "olmoe", "granitemoe", "glm4_moe", "mamba", "mamba2"],
];

/** What edited and reduced models are written as. */
const writtenFormats: Row[] = [
  [
    "`safetensors`",
    "a folder that transformers loads; all other tensors byte for byte, shards without the head as they are",
  ],
  [
    "`onnx`",
    `one graph with key-value cache, named as optimum names it, for onnxruntime and transformers.js; every architecture above is run in both, but for those that transformers.js does not know (${codeList(notInTransformersJs)}); weights in the checkpoint's number types, computed in float32; a factored head too ([export.md](export.md))`,
  ],
];

const corpusFormats: Row[] = [
  ["`.txt`, `.text`", "UTF-8; any other file that is named or matched by a pattern is read as text too"],
  [
    "`.jsonl`, `.ndjson`, `.json`",
    "one document per line, or a list; text in `--field` (default `text`), also of an object inside: `meta.text`; or a conversation in `messages`, written by the model's chat template",
  ],
  [
    "`.parquet`",
    "text in `--column` (default `text`); a page at a time; uncompressed, Snappy, gzip, Zstandard, LZ4, LZ4_RAW, Brotli",
  ],
  [
    "any of the text formats with `.gz` or `.zst` after it",
    "decompressed as it is read; decompression bombs are refused",
  ],
  ["`.npy`", "token ids already made, `[n]` or one document per row"],
  ["`.bin`", "token ids already made, raw; `--token-dtype uint16` or `uint32`"],
  ["folders and globs", "sorted; of a folder the text, JSON lines and Parquet files"],
  [
    "`hf://datasets/org/name[@revision][/path]`",
    "its Parquet, JSON lines, JSON or text files, each fetched when it is its turn",
  ],
  ["`-`", "standard input, text"],
  ["`--hidden states.npy`, `.safetensors`", "hidden states `[n, d]` made elsewhere, for models of any architecture"],
];

const modelNames: Row[] = [
  [
    "`path/to/folder`",
    "`config.json`, weights and `tokenizer.json` (or `vocab.json` and `merges.txt`, or SentencePiece's `tokenizer.model`) in one folder; symlinks as in the hub's cache are fine",
  ],
  ["`org/name`, `org/name@revision`, `hf://org/name`", "a repository of the Hugging Face hub; a branch, tag or commit"],
  ["`path/to/NAME.gguf`, `hf://org/name/NAME.gguf`", "a GGUF file, by any of its shards ([gguf.md](gguf.md))"],
  ["`tiny-books`", "comes with unembed"],
];

const hubSettings: Row[] = [
  [
    "`HF_HOME`, `HF_HUB_CACHE`",
    "the cache, in the layout of Python's huggingface_hub: what either downloaded, both use",
  ],
  [
    "`HF_TOKEN`, `HF_TOKEN_PATH`",
    "for gated and private repositories; sent to the hub alone, never to where it redirects",
  ],
  ["`HF_ENDPOINT`", "another hub"],
  ["`HF_HUB_OFFLINE`", "nothing is asked of the network; what the cache lacks is an error"],
];

/** What differs between systems, and what is done about it. */
const platforms: Row[] = [
  [
    "`/` and `\\` in paths and patterns",
    "on Windows both separate folders; names inside checkpoints and repositories have `/` everywhere",
  ],
  ["`C:\\models\\gpt2`, `~/models/gpt2`, `..`", "are folders, never repositories of the hub"],
  ["line ends", "LF or CRLF in texts, JSON lines, CSV, YAML and lists of tokens; written files have LF"],
  ["byte order mark", "dropped from texts, configs, counts, logs, edits and lists of tokens"],
  [
    "symlinks",
    "followed; a folder that holds itself counts once. Where none can be made, the hub's cache holds copies",
  ],
  ["devices and pipes", "refused in place of a file; standard input is `-`"],
  ["Ctrl-C", "ends every command with 130; nothing half-written is left in the place of a result"],
];

/** The page as Markdown. */
export function compatibilityPage(): string {
  return [
    "# What works",
    "Made by `npx tsx scripts/compatibility.ts`; the tests fail when it is out of date.",
    "## Architectures",
    [
      "By `model_type` in `config.json`. Every checkpoint named in the last column is a small one with random weights in",
      "`test/goldens/arch/` or `flags/`; its hidden states and logits agree with those of PyTorch and transformers to 1e-5 of the",
      "largest magnitude or better. Configs of transformers 4 and 5 are both read. A field that changes the arithmetic and",
      "is not supported is an error that names it.",
    ].join("\n"),
    table(["`model_type`", "what is read", "compared with PyTorch in"], architectureRows()),
    [
      "Of models that read images or sound besides text the language model is read where it is one of these families, and what was",
      `read is said: ${codeList(wrapperTypes)}, with the family and its fields in \`text_config\`. Edited and written as safetensors, all other parts stay`,
      "as they are; as ONNX the language model is written alone, with the config of its family. Refused: families that scale or cap",
      "their logits inside such a model (transformers 4 does so there, transformers 5 does not), and other types, whose language",
      "model may compute something else.",
    ].join("\n"),
    `Rotary positions (\`rope_type\`) of all families that have them: ${codeList(ropeKinds)}.`,
    `Activation functions: ${codeList(activationNames)}.`,
    "The head: output embedding tied or not, output bias, logit scale, soft cap on logits.",
    "## Weights",
    table(
      ["file", "how"],
      [
        ...fileLayouts,
        [
          `\`${onnxFolder}/${onnxName}\``,
          "where there is none of these: what unembed itself wrote as ONNX ([export.md](export.md))",
        ],
      ],
    ),
    table(["number type", "how"], numberTypes),
    table(["folder with", "how"], folderKinds),
    "## Written models",
    table(["`--format`", "what"], writtenFormats),
    "## Names of models",
    table(["name", "what"], modelNames),
    "Of a repository only the files that are needed are fetched, several at a time, resumed after an interruption, checked by size and hash.",
    table(["environment variable", "what"], hubSettings),
    "## Corpora",
    table(["form", "how"], corpusFormats),
    "## Systems",
    [
      "Everything on this page is tried on Linux x64 (Node 20), by the tests, and nowhere else. macOS and Windows are thought of",
      "as follows and not tried; on which processors they can run stands in [install.md](install.md).",
    ].join("\n"),
    table(["what", "how"], platforms),
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
  for (const folder of goldens) {
    for (const name of readdirSync(folder).sort()) {
      const config: { model_type: string } = JSON.parse(readFileSync(new URL(`${name}/config.json`, folder), "utf8"));
      names.set(config.model_type, [...(names.get(config.model_type) ?? []), name]);
    }
  }
  return names;
}

function table(head: Row, rows: readonly Row[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(compatibilityPage());
