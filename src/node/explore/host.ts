import { join } from "node:path";
import type { Corpus } from "../../corpus/corpus.js";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import { InputError } from "../../errors.js";
import type { DroppedFile, ModelChoice } from "../../explore/actions.js";
import { defaultTokens } from "../../explore/desk.js";
import type { ExplorerHost } from "../../explore/host.js";
import { openGgufFolder } from "../../model/gguf/gguf-folder.js";
import { type Model, openModel } from "../../model/model.js";
import { bytesSource, type Folder } from "../../tensor/byte-source.js";
import { openCheckpoints } from "../checkpoints/checkpoints.js";
import { corpus } from "../corpus/corpus-files.js";
import { createEngine } from "../engine/onnx-engine.js";
import { matchTexts } from "../files/bounded-match.js";
import { writeFileAtomic } from "../files/write-atomic.js";
import { defaultCorpus, isEmbeddedModel, type LoadOptions, loadModel, threadCount } from "../load-model.js";
import { downloadOfHub } from "./hub-download.js";
import { readRunInputs } from "./opened-run.js";

/** What a served page may open and where it may write: nothing else of the disk is in its reach. */
export interface NodeHostOptions extends LoadOptions {
  /** Names of models, folders and files among them, as `loadModel` takes them. */
  readonly models?: readonly string[] | undefined;
  /** Files and folders of text, as `corpus` takes them, by the name that the page shows. */
  readonly texts?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly corpus?: CorpusOptions | undefined;
  /** Folders of finished runs. */
  readonly runs?: readonly string[] | undefined;
  /** Series of checkpoints, as `dynamics` takes them. */
  readonly series?: readonly string[] | undefined;
  /** Whether models of the hub may be fetched. */
  readonly hub?: boolean | undefined;
  /** Folder that files are written to as well. */
  readonly writeTo?: string | undefined;
}

/** Bytes of a model that may be dropped into a served page: it is held in memory. */
const mostDropped = 2 ** 30;
/** The books that come with unembed. */
const embeddedText = "books";

/** The explorer's host on Node: opens only what was allowed when it was made. */
export function nodeHost(options: NodeHostOptions = {}): ExplorerHost {
  const { models = [], texts = {}, runs = [], series = [], hub = false, writeTo } = options;
  /** Of runs that were opened: their models, and the files of their texts by the run's name. */
  const runModels = new Set<string>();
  const runTexts = new Map<string, readonly string[]>();
  const allowed = (names: readonly string[], name: string, what: string) => {
    if (!names.includes(name))
      throw new InputError(JSON.stringify(name), `is no ${what} that this page was started with`);
  };
  return {
    offered: {
      ...{ models, texts: [embeddedText, ...Object.keys(texts)], runs, series, hub },
      writesTo: writeTo ?? null,
    },
    downloadOf: async (model, signal) =>
      model.kind === "hub" && hub ? downloadOfHub(model.name, { ...options, signal }) : undefined,
    async openModel(model, files, { signal, onBytes }): Promise<Model> {
      if (model.kind === "dropped") return openDropped(files, options);
      if (model.kind === "hub" && !hub) throw new InputError(model.name, "is of the hub, which this page may not ask");
      if (model.kind === "offered" && !runModels.has(model.name)) allowed(models, model.name, "model");
      return loadModel(nameOf(model), {
        ...{ ...options, signal },
        onProgress: ({ received, total }) => onBytes(received, total),
      });
    },
    async openText(text, files): Promise<Corpus> {
      if (text.kind === "dropped") return droppedCorpus(files);
      if (text.name === embeddedText) return corpus(defaultCorpus);
      const ofRun = runTexts.get(text.name);
      if (ofRun !== undefined) return corpus(ofRun, options.corpus);
      allowed(Object.keys(texts), text.name, "text");
      return corpus(texts[text.name]!, options.corpus);
    },
    async openRun(name) {
      allowed(runs, name, "run");
      const { model, files, tokens = defaultTokens, plan } = await readRunInputs(name);
      runModels.add(model);
      if (files.length > 0) runTexts.set(name, files);
      return {
        model: isEmbeddedModel(model) ? { kind: "embedded" } : { kind: "offered", name: model },
        text: { kind: "offered", name: files.length > 0 ? name : embeddedText },
        ...{ tokens, plan },
      };
    },
    async openSeries(name) {
      allowed(series, name, "series");
      return (await openCheckpoints([name], options)).checkpoints;
    },
    async write({ name, parts }) {
      if (writeTo === undefined) return;
      // The explorer names its files itself; what a page says is no part of them.
      if (/[/\\]|^\.+$/.test(name)) throw new InputError(name, "is no name of a file");
      await writeFileAtomic(join(writeTo, name), parts);
    },
    matchTexts,
  };
}

const nameOf = (model: Exclude<ModelChoice, { kind: "dropped" }>): string | undefined =>
  model.kind === "embedded"
    ? undefined
    : model.kind === "hub"
      ? `hf://${model.name.replace(/^hf:\/\//, "")}`
      : model.name;

async function openDropped(files: readonly DroppedFile[], options: NodeHostOptions): Promise<Model> {
  const held = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const { path, content } of files) {
    const own = content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
    bytes += own.length;
    if (bytes > mostDropped)
      throw new InputError(
        path,
        "is too large to be dropped into a served page: start `unembed explore` with its folder",
      );
    held.set(path.split("/").at(-1)!, own);
  }
  const name = files[0]?.path.split("/")[0] ?? "dropped";
  const folder: Folder = {
    name,
    async open(file) {
      const own = held.get(file);
      return own && bytesSource(file, own);
    },
  };
  const gguf = [...held].find(([file]) => /\.gguf$/i.test(file));
  const engine = createEngine({ threads: threadCount(options.threads) });
  try {
    const opened = gguf ? await openGgufFolder({ name, fileName: gguf[0], openBeside: folder.open }) : folder;
    return await openModel(opened, engine, name, options.onNotice);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function droppedCorpus(files: readonly DroppedFile[]): Corpus {
  const decoder = () => new TextDecoder("utf-8", { fatal: true });
  const sizeOf = ({ content }: DroppedFile) => (content instanceof Uint8Array ? content.length : content.size);
  return {
    files: files.map((file) => ({ name: file.path, bytes: sizeOf(file) })),
    async *documents() {
      for (const { path, content } of files) {
        const bytes = content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
        yield { name: path, text: decoded(path, bytes, decoder()) };
      }
    },
  };
}

async function* decoded(path: string, bytes: Uint8Array, decoder: TextDecoder): AsyncGenerator<string> {
  try {
    yield decoder.decode(bytes);
  } catch (error) {
    throw new InputError(path, "is not valid UTF-8", { cause: error });
  }
}
