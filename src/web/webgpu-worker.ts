// The engine's worker on a graphics card: bundled with onnxruntime's JavaScript, with its .wasm file beside it (scripts/build.js).
import * as runtime from "onnxruntime-web/webgpu";
import { serveSessions } from "./engine/serve-sessions.js";

runtime.env.wasm.numThreads = 1;
runtime.env.wasm.wasmPaths = { wasm: new URL("./ort-wasm-simd-threaded.asyncify.wasm", import.meta.url).href };
serveSessions(runtime, ["webgpu"]);
