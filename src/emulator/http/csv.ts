import { HttpProblem } from "../errors.ts";

/** One row a line; fields with commas, quotes or line ends are quoted (RFC 4180). */
export function csvLine(fields: readonly (string | number | boolean)[]): string {
  return `${fields.map((field) => quote(String(field))).join(",")}\n`;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/**
 * Reads CSV; empty lines are skipped, `\r\n` and `\n` both end a row.
 *
 * @throws HttpProblem 400 when a quoted field never ends or goes on after its closing quote
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const endRow = () => {
    if (row.length > 1 || (row[0] ?? "") !== "") rows.push(row);
    row = [];
  };
  while (at < text.length) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    row.push(field.value);
    at = field.end;
    if (text[at] === ",") {
      at += 1;
      // A comma at the very end still opens one more, empty field.
      if (at === text.length) row.push("");
      continue;
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    endRow();
  }
  endRow();
  return rows;
}

interface Field {
  readonly value: string;
  readonly end: number;
}

function plainField(text: string, start: number): Field {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { value: text.slice(start, end), end };
}

function quotedField(text: string, start: number): Field {
  let value = "";
  let at = start + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) throw new HttpProblem(400, "CSV: a quoted field does not end");
    value += text.slice(at, close);
    if (text[close + 1] !== '"') {
      const next = text[close + 1];
      if (next !== undefined && !",\r\n".includes(next)) {
        throw new HttpProblem(400, "CSV: text after a closing quote");
      }
      return { value, end: close + 1 };
    }
    value += '"';
    at = close + 2;
  }
}
