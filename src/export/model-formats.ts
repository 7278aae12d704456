/** How a model is written: a folder for transformers, or one for onnxruntime and transformers.js. */
export const modelFormats = ["safetensors", "onnx"] as const;
export type ModelFormat = (typeof modelFormats)[number];
