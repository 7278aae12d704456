// The engine's worker on a processor: bundled with onnxruntime's JavaScript, with its .wasm file beside it (scripts/build.js).
import * as runtime from "onnxruntime-web/wasm";
import { serveSessions } from "./engine/serve-sessions.js";

runtime.env.wasm.numThreads = 1;
runtime.env.wasm.wasmPaths = { wasm: new URL("./ort-wasm-simd-threaded.wasm", import.meta.url).href };
// Compiled while the model's files are on their way; that no session is in an empty file does not matter.
runtime.InferenceSession.create(new Uint8Array(0), { logSeverityLevel: 4 }).catch(() => {});
serveSessions(runtime, ["wasm"]);
