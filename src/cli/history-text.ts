import type { JobRecord } from "../core/control-api.ts";
import { table } from "./status-text.ts";
import { printable } from "./terminal.ts";

/** `gwe history` for a person, newest first. Times are UTC, as in `fetch_status`. */
export function describeHistory(
  records: readonly JobRecord[],
  { withOutput }: { readonly withOutput: boolean },
): string {
  if (records.length === 0) return "Nothing has been installed or asked for.\n";
  const [head, ...rows] = table(["TIME (UTC)", "ACTION", "APP", "VERSION", "RESULT"], records.map(rowOf));
  const lines = rows.flatMap((row, index) => [
    row,
    ...(withOutput ? outputLines(records[index]?.output ?? "") : []),
  ]);
  return `${[head, ...lines].join("\n")}\n`;
}

function rowOf({ app, version, action, status, exitCode, ...times }: JobRecord): readonly string[] {
  const at = times.finishedAtMs ?? times.startedAtMs;
  const code = exitCode === null || exitCode === 0 ? "" : ` (exit status ${exitCode})`;
  return [at === null ? "-" : utc(at), action, app, version, `${status}${code}`];
}

function utc(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 19).replace("T", " ");
}

function outputLines(output: string): readonly string[] {
  if (output === "") return [];
  const lines = output.endsWith("\n") ? output.slice(0, -1) : output;
  return lines.split("\n").map((line) => `    ${printable(line)}`);
}
