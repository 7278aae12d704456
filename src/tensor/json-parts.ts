/** Shorter texts hold so few lists, objects and names that they take no memory to speak of. */
export const harmlessJsonLength = 2 ** 24;
/** More than any file of metadata or document has; each takes some sixty bytes when it is parsed, and two in the text. */
const maxParts = 2 ** 22;

/**
 * Watches that a JSON text, given piece by piece, holds no more lists, objects and names than can be kept.
 * @returns whether there are too many so far
 */
export function jsonPartsWatch(): (piece: string) => boolean {
  let parts = 0;
  let inString = false;
  let escaped = false;
  return (piece) => {
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at);
      if (inString) {
        if (escaped) escaped = false;
        else if (code === 92) escaped = true;
        else if (code === 34) inString = false;
      } else if (code === 34) inString = true;
      else if (code === 91 || code === 123 || code === 58) parts++;
    }
    return parts > maxParts;
  };
}

/** For messages. */
export const tooManyParts = `holds more than ${maxParts} lists, objects and names`;
