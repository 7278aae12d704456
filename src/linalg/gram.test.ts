import fc from "fast-check";
import { expect, it } from "vitest";
import { gram } from "./gram.js";

it("is X'X, whatever the shape", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 1, max: 13 }),
      fc.integer({ min: 1, max: 1000 }),
      async (rows, columns, salt) => {
        const block = Float64Array.from({ length: rows * columns }, (_, p) => ((p * p + salt * p) % 17) - 8);
        const wanted = new Float64Array(columns * columns);
        for (let r = 0; r < rows; r++) {
          for (let i = 0; i < columns; i++) {
            for (let j = 0; j < columns; j++) {
              wanted[i * columns + j]! += block[r * columns + i]! * block[r * columns + j]!;
            }
          }
        }
        // Small integers: exact in whatever order they are added.
        expect(await gram(block, rows, columns)).toEqual(wanted);
      },
    ),
    { numRuns: 60 },
  );
});
