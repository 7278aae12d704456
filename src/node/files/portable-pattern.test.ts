import { expect, test } from "vitest";
import { portablePattern } from "./portable-pattern.js";

test("backslashes are separators on Windows alone", () => {
  expect(portablePattern("C:\\texts\\*.txt", "\\")).toBe("C:/texts/*.txt");
  expect(portablePattern("texts/\\*.txt", "/")).toBe("texts/\\*.txt");
});
