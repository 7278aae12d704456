import { expect, test } from "vitest";
import { labelPlace } from "./label-places.js";

const frame = { left: 0, top: 0, right: 200, bottom: 100 };
const wideFrame = { ...frame, right: 500 };
const nowhere = () => 0;

test("a name stands beside its point, on the side where there is room", () => {
  expect(labelPlace({ x: 50, y: 50 }, 30, frame, [], nowhere)).toMatchObject({ led: false, box: { left: 57 } });
  expect(labelPlace({ x: 190, y: 50 }, 30, frame, [], nowhere)).toMatchObject({ led: false, box: { right: 183 } });
  const right = { left: 55, right: 100, top: 40, bottom: 60 };
  expect(labelPlace({ x: 50, y: 50 }, 30, frame, [right], nowhere)).toMatchObject({ box: { right: 43 } });
  expect(labelPlace({ x: 50, y: 50 }, 300, frame, [], nowhere)).toBeUndefined();
});

test("a name leaves a crowd, and a line leads to it", () => {
  // Points fill a disc of radius 22 around the named one.
  const crowd = ({ left, right, top, bottom }: typeof frame) =>
    left < 122 && right > 78 && top < 72 && bottom > 28 ? 40 : 0;
  const place = labelPlace({ x: 100, y: 50 }, 30, wideFrame, [], crowd)!;
  expect(place.led).toBe(true);
  expect(crowd(place.box)).toBe(0);
  // Where there is little room, lines would cross one another.
  expect(labelPlace({ x: 100, y: 50 }, 30, frame, [], crowd)!.led).toBe(false);
});
