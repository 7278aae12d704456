/** How a model is written: a folder for transformers, or one for onnxruntime and transformers.js. */
export const modelFormats = ["safetensors", "onnx"] as const;
export type ModelFormat = (typeof modelFormats)[number];

/** How an edited model is written: in one of these, or as the GGUF file that it was. */
export const editedFormats = [...modelFormats, "gguf"] as const;
export type EditedFormat = (typeof editedFormats)[number];
