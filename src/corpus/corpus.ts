/** Where one document's text or ready-made token ids come from; each is read once, in order. */
export type Document = {
  /** File (and place in it), for messages. */
  name: string;
  /** Whether it is one of several in a file, set apart from the one before by the separator even if none was asked for. */
  separate?: boolean;
} & (
  | { text: AsyncIterable<string> }
  | { ids: AsyncIterable<ArrayLike<number>> }
  | { messages: readonly ChatMessage[] }
);

/** One turn of a conversation, with whatever else a model's chat template reads of it. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** Text to run a model on. */
export interface Corpus {
  /** Files that it is read from, in order; standard input is "-", its bytes counted as they are read. */
  files: { name: string; bytes: number }[];
  /**
   * The documents in order, read as they are asked for.
   * @throws InputError naming the file that cannot be read
   */
  documents(): AsyncIterable<Document>;
}
