/** unembed's library in browsers: what `import { ... } from "unembedding/web"` gives. */
export * from "../library.js";
export { corpus, type PageText } from "./files/page-corpus.js";
export { loadHead, loadModel, type PageLoadOptions } from "./load-page-model.js";
export {
  type DownloadSize,
  downloadSize,
  type FetchOptions,
  type ListedFolder,
  type ModelSource,
} from "./open-reference.js";
export type { Device } from "./start-worker.js";
