/** Letter of byte-level vocabularies for each byte (GPT-2's `bytes_to_unicode`): itself if visible, else one from U+0100 on. */
const byteLetters: readonly string[] = (() => {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

const byteOfLetter = new Map(byteLetters.map((letter, byte) => [letter, byte]));
const utf8 = new TextEncoder();

/** A text's UTF-8 bytes, each as its letter. */
export function lettersOf(text: string): string {
  let letters = "";
  for (const byte of utf8.encode(text)) letters += byteLetters[byte];
  return letters;
}

/** The bytes that letters stand for; undefined if one of them is no such letter. */
export function bytesOf(letters: string): number[] | undefined {
  const bytes = Array.from(letters, (letter) => byteOfLetter.get(letter));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}
