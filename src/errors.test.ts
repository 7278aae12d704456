import { expect, test } from "vitest";
import { readConfig } from "./model/config.js";
import { bytesSource } from "./tensor/byte-source.js";

test("a message is one line, also where it quotes a file of several", async () => {
  const bytes = new TextEncoder().encode('{\n  "architectures": [\n    "Model"\n  ]],\n  "n_head": 2\n}');
  await expect(readConfig(bytesSource("config.json", bytes))).rejects.toThrow(
    /^config\.json: is not valid JSON: [^\n]+$/,
  );
});
