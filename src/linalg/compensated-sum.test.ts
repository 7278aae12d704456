import { expect, test } from "vitest";
import { addCompensated } from "./compensated-sum.js";
import { seededRandom } from "./random.js";

function summed(numbers: readonly number[]) {
  const high = new Float64Array(1);
  const low = new Float64Array(1);
  for (const value of numbers) addCompensated(high, low, Float64Array.of(value), undefined);
  return { high, low };
}

test("what float64 would lose is kept: 1 + 1e-20 a hundred times, and then without the 1", () => {
  const { high, low } = summed([1, ...Array.from({ length: 100 }, () => 1e-20)]);
  expect(high[0]).toBe(1);
  addCompensated(high, low, Float64Array.of(-1), undefined);
  expect(high[0]! / 1e-18).toBeCloseTo(1, 12);
});

test("sums cut anywhere and joined have the same bits, where plain ones differ", () => {
  const random = seededRandom(5);
  let plainDiffers = 0;
  for (let trial = 0; trial < 200; trial++) {
    const numbers = Array.from({ length: 300 }, () => (random() - 0.3) * 2 ** Math.floor(40 * random() - 20));
    const whole = summed(numbers);
    const cut = 1 + Math.floor(random() * 298);
    const [first, second] = [numbers.slice(0, cut), numbers.slice(cut)];
    const [joined, other] = [summed(first), summed(second)];
    addCompensated(joined.high, joined.low, other.high, other.low);
    expect(joined.high).toEqual(whole.high);
    const plain = (part: number[]) => part.reduce((sum, value) => sum + value, 0);
    if (plain(first) + plain(second) !== plain(numbers)) plainDiffers++;
  }
  expect(plainDiffers).toBeGreaterThan(50);
});
