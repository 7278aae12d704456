import { Command } from "commander";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { shownError } from "./shown-error.js";

const command = new Command("reduce")
  .option("--max-kl <nats>")
  .option("--context <n>")
  .option("--tensor <name>")
  .option("--force")
  .option("--list");

test.each<[InputError, string]>([
  [new InputError("maxKl", "cannot be met"), "--max-kl: cannot be met"],
  [new InputError("contextLength", "is 1"), "--context: is 1"],
  [new InputError("out", "is there already", { remedy: "force" }), "out: is there already; --force replaces it"],
  [new InputError("a.bin", "has none", { remedy: "tensorName" }), "a.bin: has none; name it with --tensor"],
  [new InputError("a@b", "has no b", { remedy: "list" }), "a@b: has no b; --list shows all"],
  // No option of this command.
  [new InputError("topP", "is 2"), "topP: is 2"],
  [new InputError("a", "is open", { remedy: "close" }), "a: is open"],
  // A file that is called as an option is.
  [new InputError("force", "does not exist"), "force: does not exist"],
])("%s", (error, wanted) => {
  expect(shownError(error, command, ["reduce", "force"])).toEqual(wanted);
});

test("without a command there are no flags", () => {
  expect(shownError(new InputError("maxKl", "is 0", { remedy: "force" }), undefined, [])).toBe("maxKl: is 0");
});
