/** Numbers drawn one after the other from [0, 1), each a multiple of 2^-32. */
export type Random = () => number;

/**
 * xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021;
 * https://prng.di.unimi.it/xoshiro128starstar.c), its state filled from the seed by splitmix32. The same seed gives the
 * same numbers on every machine.
 * @param seed any integer that a double holds exactly
 * @throws RangeError if it is not one
 */
export function seededRandom(seed: number): Random {
  const word = seedWords(seed);
  return xoshiro128(word(), word(), word(), word());
}

/**
 * One of many independent streams: xoshiro128** with a state that splitmix32 fills from the seed and the path, so that a
 * stream does not depend on which others are drawn from.
 * @param path whole numbers that name it, like a text's and a sample's
 */
export function randomStream(seed: number, ...path: readonly number[]): Random {
  const word = path.reduce((parent, step) => splitmix32(parent() ^ step), seedWords(seed));
  return xoshiro128(word(), word(), word(), word());
}

/** The generator itself from a given state of four 32-bit words, not all zero. */
export function xoshiro128(word0: number, word1: number, word2: number, word3: number): Random {
  let [a, b, c, d] = [word0, word1, word2, word3];
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return scrambled / 2 ** 32;
  };
}

/** A random order of 0 ... length - 1 (Fisher & Yates). */
export function permutation(length: number, random: Random): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}

/** 32-bit words that depend on all bits of the seed. */
function seedWords(seed: number): () => number {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed must be an integer below 2^53, not ${seed}`);
  const high = splitmix32(Math.floor(seed / 2 ** 32));
  return splitmix32(high() ^ (seed >>> 0));
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * Steele, Lea & Flood's splitmix with the 32-bit finaliser of MurmurHash3: every output differs over its period.
 * @returns what gives 32-bit words, signed
 */
export function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return word ^ (word >>> 16);
  };
}
