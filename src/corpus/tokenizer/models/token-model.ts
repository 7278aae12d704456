/** Turns pieces of text into ids. */
export interface TokenModel {
  /** @throws Refusal if it has no id for something in the piece */
  ids(piece: string): readonly number[];
  idOf(token: string): number | undefined;
  /** Tokens that it has, the added ones not among them. */
  readonly size: number;
  /** Id of what it doesn't know. */
  readonly unknown: number | undefined;
  /** Its tokens; of several that claim an id the last. */
  tokens(): Iterable<[id: number, token: string]>;
}
