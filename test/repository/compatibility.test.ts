import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compatibilityPage } from "../../scripts/compatibility.js";

it("docs/compatibility.md says what the code and the tests' checkpoints say", () => {
  expect(readFileSync("docs/compatibility.md", "utf8")).toBe(compatibilityPage());
});
