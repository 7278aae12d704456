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
  /** Of ids that were made before for windows of one kind: reading may begin anywhere in them. */
  readonly stored?: StoredIds | undefined;
}

/** The token ids of a whole text as they were stored once, with how it is to be cut into windows. */
export interface StoredIds {
  /** What names the text in records and messages. */
  readonly name: string;
  /** SHA-256 of all that decides which ids there are, in hexadecimal digits. */
  readonly sha256: string;
  /** SHA-256 of the tokenizer's file (`tokenizerHash`). */
  readonly tokenizer: string;
  /** How many there are; the tokens that begin windows are not among them. */
  readonly count: number;
  /** Tokens per window that it was made for. */
  readonly contextLength: number;
  /** Ids that begin every window there. */
  readonly beginOfText: readonly number[];
  /** The ids from one of them on, without a read of those before. @throws InputError naming the file that cannot be read */
  from(index: number): AsyncIterable<Document>;
}
