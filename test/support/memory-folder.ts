import { bytesSource, type Folder } from "../../src/tensor/byte-source.js";

/** Files of a folder, by name. */
export type MemoryFiles = Readonly<Record<string, Uint8Array | string>>;

/** A folder that lies in memory; messages name its files by `name`, where one is given. */
export function memoryFolder(files: MemoryFiles, name = ""): Folder {
  return {
    name: name === "" ? "model" : name,
    async open(fileName) {
      const contents = files[fileName];
      if (contents === undefined) return undefined;
      const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
      return bytesSource(name === "" ? fileName : `${name}/${fileName}`, bytes);
    },
  };
}
