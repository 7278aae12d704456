import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const installed = join(process.cwd(), "tools/llama-cpp/node_modules/node-llama-cpp/dist/index.js");

/** Whether there is a llama.cpp for this platform (scripts/llama-cpp.js). */
export const hasLlamaCpp = existsSync(installed);

/** The part of node-llama-cpp that is used. */
interface Library {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LoadedModel> }>;
  readonly LlamaLogLevel: { readonly disabled: string };
}
interface LoadedModel {
  tokenize(text: string, specialTokens?: boolean): number[];
  createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
  dispose(): Promise<void>;
  readonly fileInfo: { readonly tensorInfo?: unknown };
}
interface Sequence {
  controlledEvaluate(input: readonly unknown[]): Promise<{ next: { probabilities: Map<number, number> } }[]>;
}

/** A model that llama.cpp has loaded. */
export interface LlamaModel {
  /** Log-probabilities of the token after each of the ids, [ids][V]. */
  logProbabilities(ids: readonly number[], vocabSize: number): Promise<Float64Array[]>;
  /** @param special whether special tokens that the text writes out are found */
  tokenize(text: string, special?: boolean): number[];
  close(): Promise<void>;
}

let llama: ReturnType<Library["getLlama"]> | undefined;

/** @throws Error of llama.cpp's if it does not load the file */
export async function loadInLlamaCpp(file: string): Promise<LlamaModel> {
  const library = (await import(pathToFileURL(installed).href)) as Library;
  llama ??= library.getLlama({
    ...{ gpu: false, build: "never", progressLogs: false, logLevel: library.LlamaLogLevel.disabled },
  });
  const model = await (await llama).loadModel({ modelPath: file, gpuLayers: 0 });
  return {
    tokenize: (text, special = false) => [...model.tokenize(text, special)],
    async logProbabilities(ids, vocabSize) {
      // Larger than the text, or the last position is spoiled by a shift.
      const context = await model.createContext({
        ...{ contextSize: Math.max(64, ids.length + 8), threads: 1, flashAttention: false },
        ...{ experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" },
      });
      try {
        const options = { temperature: 1, topK: 0, topP: 1, minP: 0 };
        const asked = ids.map((id) => [id, { generateNext: { probabilities: true, options } }]);
        const found = await context.getSequence().controlledEvaluate(asked);
        return found.map(({ next }) => {
          const row = new Float64Array(vocabSize).fill(Number.NEGATIVE_INFINITY);
          for (const [id, p] of next.probabilities) row[id] = Math.log(p);
          return row;
        });
      } finally {
        await context.dispose();
      }
    },
    close: () => model.dispose(),
  };
}
