import { expect, test } from "vitest";
import { InputError } from "./errors.js";
import { readConfig } from "./model/config.js";
import { bytesSource } from "./tensor/byte-source.js";

test("a message is one line, also where it quotes a file of several", async () => {
  const bytes = new TextEncoder().encode('{\n  "architectures": [\n    "Model"\n  ]],\n  "n_head": 2\n}');
  await expect(readConfig(bytesSource("config.json", bytes))).rejects.toThrow(
    /^config\.json: config is not JSON: [^\n]+$/,
  );
});

test("what a terminal would obey is written out", () => {
  const error = new InputError("a\x1b[2J.json", 'names "\u202eb\x07"\r\n twice');
  expect(error.message).toBe('a\\u001b[2J.json: names "\\u202eb\\u0007" twice');
});
