import type { Corpus } from "../corpus/corpus.js";
import { InputError } from "../errors.js";
import type { DroppedFile, ModelChoice } from "../explore/actions.js";
import type { ExplorerHost } from "../explore/host.js";
import { droppedFolder } from "./files/file-folder.js";
import { corpus } from "./files/page-corpus.js";
import { wholeFiles } from "./files/whole-files.js";
import { loadModel } from "./load-page-model.js";
import { downloadSize } from "./open-reference.js";

/** What lies beside a static page. */
export interface PageHostOptions {
  /** Files of the embedded model. */
  readonly embedded: { readonly name: string; readonly files: readonly URL[] };
  /** By the name that the page shows. */
  readonly texts: Readonly<Record<string, URL>>;
  /** Workers that compute. Default: one for each of the processor's cores, 8 at most. */
  readonly threads?: number | undefined;
}

/** The explorer's host in a page by itself: nothing that is opened leaves the machine. */
export function pageHost({ embedded, texts, threads }: PageHostOptions): ExplorerHost {
  return {
    offered: { models: [], texts: Object.keys(texts), runs: [], series: [], hub: true, writesTo: null },
    async downloadOf(model, signal) {
      if (model.kind !== "hub") return undefined;
      const { total, kept } = await downloadSize(model.name, { signal });
      const bytes = total - kept;
      return bytes > 0 ? { name: model.name, files: [], bytes } : undefined;
    },
    async openModel(model, files, { signal, onBytes }) {
      if (model.kind === "embedded") {
        const folder = wholeFiles(embedded.files, signal, onBytes).then(droppedFolder);
        // The engine starts while they come.
        const coming = { name: embedded.name, open: async (file: string) => (await folder).open(file) };
        return loadModel(coming, { threads, signal });
      }
      return loadModel(sourceOf(model, files), {
        ...{ threads, signal },
        onProgress: ({ received, total }) => onBytes(received, total),
      });
    },
    async openText(text, files): Promise<Corpus> {
      if (text.kind === "dropped") return corpus(files.map(fileOf));
      const address = Object.hasOwn(texts, text.name) ? texts[text.name] : undefined;
      if (address === undefined) throw new InputError(JSON.stringify(text.name), "is no text of this page");
      return corpus(address);
    },
  };
}

function sourceOf(model: Exclude<ModelChoice, { kind: "embedded" }>, files: readonly DroppedFile[]) {
  if (model.kind === "dropped") return files.map(fileOf);
  if (model.kind === "hub") return `hf://${model.name.replace(/^hf:\/\//, "")}`;
  throw new InputError(model.name, "is no model of this page");
}

/** By its name without the folders it lay in. */
function fileOf({ path, content }: DroppedFile): File {
  const name = path.split("/").at(-1)!;
  return content instanceof File ? content : new File([content as BlobPart], name);
}
