import { InputError } from "../../errors.js";
import { type ByteSource, wholeFile } from "../../tensor/byte-source.js";
import { parsePythonJson } from "../../tensor/python-json.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import type { LogEntry } from "../dynamics.js";
import { csvRows } from "./csv-table.js";
import { decode, maxTextBytes, parseNumber } from "./token-counts.js";

const stepNames = ["step", "global_step", "iteration", "iter", "steps"];
const lossNames = ["loss", "train_loss", "train/loss", "lm_loss", "training_loss"];

/**
 * Step and loss from a training log: JSON lines or CSV with columns step and loss, or transformers' trainer_state.json.
 * Lines without a loss (evaluations, summaries) are passed over.
 * @returns by rising step; of a step logged twice, the last
 * @throws InputError naming the line that cannot be read, or if no line has both
 */
export async function readTrainingLog(source: ByteSource): Promise<LogEntry[]> {
  const { name } = source;
  const bytes = await wholeFile(source, maxTextBytes);
  const text = decode(name, bytes);
  const records = /\.(csv|tsv)$/i.test(name)
    ? csvRecords(name, text)
    : /\.json$/i.test(name)
      ? stateRecords(name, parseStrictJson(name, "file", bytes))
      : lineRecords(name, text);
  const losses = new Map<number, number>();
  for (const record of records) {
    const step = field(record, stepNames);
    const loss = field(record, lossNames);
    if (step !== undefined && loss !== undefined && step >= 0) losses.set(step, loss);
  }
  if (losses.size === 0) throw new InputError(name, 'has no line with the fields "step" and "loss"');
  return [...losses].map(([step, loss]) => ({ step, loss })).sort((a, b) => a.step - b.step);
}

type LogRecord = Record<string, unknown>;

function lineRecords(place: string, text: string): LogRecord[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      const value = parsePythonJson(line);
      return isRecord(value) ? [value] : [];
    } catch (error) {
      throw new InputError(place, `line ${index + 1} is not JSON`, { cause: error });
    }
  });
}

function stateRecords(place: string, value: unknown): LogRecord[] {
  const list = isRecord(value) ? value.log_history : value;
  if (!Array.isArray(list)) throw new InputError(place, 'field "log_history" is missing: not a trainer_state.json');
  return list.filter(isRecord);
}

function csvRecords(place: string, text: string): LogRecord[] {
  const [header, ...rows] = csvRows(place, text);
  if (header === undefined) throw new InputError(place, "is empty");
  const names = header.cells.map((cell) => cell.trim());
  // Of a table that may be wide only what is asked for; of two columns of one name the last.
  const wanted = [...stepNames, ...lossNames].map((name) => [name, names.lastIndexOf(name)] as const);
  const columns = wanted.filter(([, column]) => column >= 0);
  return rows.map(({ cells }) =>
    Object.fromEntries(columns.map(([name, column]) => [name, parseNumber(cells[column] ?? "")])),
  );
}

function field(record: LogRecord, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return undefined;
}

function isRecord(value: unknown): value is LogRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
