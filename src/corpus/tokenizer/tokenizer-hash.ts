import { type ByteSource, type Folder, wholeFile } from "../../tensor/byte-source.js";
import { tokenizerSources } from "./open-source.js";

/** Tokenizers of half a million tokens have 40 MB. */
const maxBytes = 2 ** 29;

/**
 * SHA-256, in hexadecimal digits, of the file or files that a folder's tokenizer is read from: what tells whether ids were made
 * with it. "none" where there is no tokenizer.
 */
export async function tokenizerHash(folder: Folder): Promise<string> {
  for (const names of tokenizerSources) {
    const files = await Promise.all(names.map((name) => folder.open(name)));
    if (files.some((file) => file === undefined)) continue;
    const parts = await Promise.all(files.map((file) => wholeFile(file as ByteSource, maxBytes)));
    const all = new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return "none";
}
