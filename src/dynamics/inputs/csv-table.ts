import { InputError } from "../../errors.js";

/** Cells of a file of counts or of a training log are numbers and short names. */
const maxCellCharacters = 10_000;

/**
 * Rows of a table with commas, semicolons or tabs between its cells (RFC 4180: quotes around a cell, doubled inside).
 * The first of these three that the first line has is taken to be the separator. Empty lines are left out.
 * @throws InputError naming the line
 */
export function csvRows(place: string, text: string): { line: number; cells: string[] }[] {
  const firstLine = /^[^\r\n]*/.exec(text)![0];
  const separator = /[\t;,]/.exec(firstLine.replace(/"[^"]*"/g, ""))?.[0] ?? ",";
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let line = 1;
  let rowLine = 1;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const endRow = () => {
    if (cells.length > 1 || cells[0]!.trim() !== "") rows.push({ line: rowLine, cells });
    cells = [];
  };
  while (at < text.length) {
    if (cells.length === 0) rowLine = line;
    let cell: string;
    if (text[at] === '"') {
      const end = closingQuote(text, at);
      if (end === undefined) throw new InputError(place, `line ${rowLine}: a quote is not closed`);
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      line += cell.split("\n").length - 1;
      at = end + 1;
      const next = text[at];
      if (next !== undefined && next !== separator && next !== "\n" && next !== "\r") {
        throw new InputError(place, `line ${line}: a cell goes on after its closing quote`);
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
      cell = text.slice(start, at);
    }
    if (cell.length > maxCellCharacters) {
      throw new InputError(place, `line ${rowLine}: a cell has over ${maxCellCharacters} characters`);
    }
    cells.push(cell);
    if (text[at] === separator) {
      at++;
      if (at === text.length) cells.push("");
      continue;
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    if (at < text.length) line++;
    at++;
    endRow();
  }
  if (cells.length > 0) endRow();
  return rows;
}

function closingQuote(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at;
    at++;
  }
  return undefined;
}
