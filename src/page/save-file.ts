import type { FileOffer } from "../explore/protocol.js";

/** Milliseconds for which a browser may still be reading what a link leads to. */
const readMilliseconds = 60_000;

/** Saves a file as a browser does. */
export function saveFile({ name, mediaType, parts }: FileOffer): void {
  saveBlob(name, new Blob([...parts], { type: mediaType }));
}

export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  followLink(name, url);
  setTimeout(() => URL.revokeObjectURL(url), readMilliseconds);
}

/** @param url of a file that the browser fetches by itself */
export function followLink(name: string, url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
