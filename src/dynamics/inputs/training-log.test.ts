import { expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import { readTrainingLog } from "./training-log.js";

const read = (name: string, text: string) => readTrainingLog(bytesSource(name, new TextEncoder().encode(text)));
const wanted = [
  { step: 0, loss: 9.5 },
  { step: 10, loss: 4 },
];

test.each([
  [
    "log.jsonl",
    '{"step": 10, "loss": 5}\n{"step": 0, "loss": 9.5}\n\n{"step": 10, "loss": 4, "lr": 1e-3}\n{"done": true}\n',
  ],
  ["log.csv", "step,lr,loss\n0,0.1,9.5\n5,0.1,\n10,0.1,4\n"],
  ["other.csv", "iteration;lm_loss\n0;9.5\n10;4e0\n"],
  [
    "trainer_state.json",
    '{"global_step": 10, "log_history": [{"step": 0, "loss": 9.5}, {"step": 10, "loss": 4.0}, {"step": 10, "eval_loss": 7}]}',
  ],
  ["nan.jsonl", '{"step": 0, "loss": 9.5, "grad_norm": NaN}\n{"step": 5, "loss": NaN}\n{"step": 10, "loss": 4}'],
  [
    "nan.json",
    '{"log_history": [{"step": 0, "grad_norm": NaN, "loss": 9.5}, {"step": 10, "grad_norm": Infinity, "loss": 4.0}]}',
  ],
])("reads step and loss from %s", async (name, text) => {
  expect(await read(name, text)).toEqual(wanted);
});

test.each([
  ["log.jsonl", '{"step": 1, "loss": 2}\nnot json\n', /line 2 is not JSON/],
  ["log.jsonl", '{"epoch": 1}\n', /no line with the fields "step" and "loss"/],
  ["log.csv", "", /is empty/],
  ["state.json", '{"steps": []}', /"log_history" is missing/],
])("refuses %s holding %j", async (name, text, message) => {
  await expect(read(name, text)).rejects.toThrow(message);
});

test("of a wide table only its own columns are kept", async () => {
  const header = ["step", "loss", ...Array.from({ length: 9000 }, (_, column) => `x${column}`)].join();
  const rows = Array.from({ length: 16_000 }, (_, step) => `${step},2`).join("\n");
  expect(await read("wide.csv", `${header}\n${rows}\n`)).toHaveLength(16_000);
});
