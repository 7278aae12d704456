/** Repeats what lies `distance` bytes before; where that is less than `length`, what was written goes on repeating. */
export function copyBack(output: Uint8Array, filled: number, distance: number, length: number): void {
  if (distance >= length) output.copyWithin(filled, filled - distance, filled - distance + length);
  else for (let i = 0; i < length; i++) output[filled + i] = output[filled + i - distance]!;
}
