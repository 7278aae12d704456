import { fileURLToPath } from "node:url";

/** What comes with unembed: models, texts, and numbers that a device is tested by. */
const assets = new URL("../../../assets/", import.meta.url);

/** The path of a file or folder that comes with unembed. @param name below assets/ */
export function assetPath(name: string): string {
  return fileURLToPath(new URL(name, assets));
}
