/** Where rows of hidden states are kept until they are read again: a file, so that memory does not grow with the text. */
export interface RowStore {
  /** Adds rows, float32 [rows, d], behind those that are there. */
  append(rows: Float32Array): Promise<void>;
  /** Numbers [begin, end) of all that were added. */
  read(begin: number, end: number): Promise<Float32Array>;
  /** Frees the space. */
  release(): Promise<void>;
}

/** Room behind what a store holds by now, to be read as if it were alone; released with the whole. */
export function roomBehind(store: RowStore, held: number): RowStore {
  return {
    append: (rows) => store.append(rows),
    read: (begin, end) => store.read(held + begin, held + end),
    release: async () => {},
  };
}

/** Rows kept in memory: for short texts and for browsers. */
export function memoryStore(): RowStore {
  let numbers = new Float32Array(2 ** 16);
  let used = 0;
  return {
    async append(rows) {
      if (used + rows.length > numbers.length) {
        const larger = new Float32Array(Math.max(2 * numbers.length, used + rows.length));
        larger.set(numbers.subarray(0, used));
        numbers = larger;
      }
      numbers.set(rows, used);
      used += rows.length;
    },
    read: async (begin, end) => numbers.slice(begin, end),
    async release() {
      numbers = new Float32Array(0);
      used = 0;
    },
  };
}
