import { maxDataportBytes } from "../core/reports.ts";
import type { Job } from "./journal.ts";
import type { EndState } from "./state-machine.ts";
import type { Task, Verb } from "./task.ts";
import { cutText, cutToTail, jsonBytes } from "./text.ts";

/** The status words that this version sends. */
export type FetchStatusWord =
  | "installed"
  | "removed"
  | "started"
  | "stopped"
  | "restarted"
  | "rolled-back"
  | "cancelled"
  | "logs"
  | "configured"
  | "failed"
  | "interrupted"
  | "skipped";

/** One app of a `fetch_status` (spec: gateway-engine.md). */
export interface FetchStatusApp {
  readonly name: string;
  readonly version: string;
  readonly status: FetchStatusWord;
  /** The installer's; null when none ran to an end. */
  readonly exit_code: number | null;
  /** ISO 8601, UTC. null when work on it never began. */
  readonly started: string | null;
  readonly finished: string | null;
  /** The installer's output (its tail), then what the engine has to say in a last line of its own. */
  readonly output: string;
  /** Bytes of output left out before that. */
  readonly output_cut: number;
}

export interface FetchStatusReport {
  readonly id: string;
  readonly apps: readonly FetchStatusApp[];
  /** Only when something of the command was not understood. */
  readonly error?: string;
  readonly expected?: string;
}

const maxErrorBytes = 2_000;

const doneWords: Readonly<Record<Verb, FetchStatusWord>> = {
  install: "installed",
  remove: "removed",
  start: "started",
  stop: "stopped",
  restart: "restarted",
  rollback: "rolled-back",
  cancel: "cancelled",
  logs: "logs",
  configure: "configured",
};

function statusWord(task: Task, { phase }: EndState): FetchStatusWord {
  return phase === "committed" ? doneWords[task.verb] : phase;
}

/** How an ended job is reported, its output not yet cut to the report's size. */
export function reportOf(job: Omit<Job, "state"> & { readonly state: EndState }): FetchStatusApp {
  const { result, note } = job.state;
  const needsNewline = result.output !== "" && !result.output.endsWith("\n");
  const output = note === "" ? result.output : `${result.output}${needsNewline ? "\n" : ""}gwe: ${note}\n`;
  return {
    name: job.app,
    version: job.version,
    status: statusWord(job.task, job.state),
    exit_code: result.exitCode,
    started: isoTime(job.startedAtMs),
    finished: isoTime(job.finishedAtMs),
    output,
    output_cut: result.outputBytesCut,
  };
}

/** The value for the dataport: at most 64 KiB of UTF-8, whatever the installers printed. */
export function encodeFetchStatus(report: FetchStatusReport, format: "json" | "text"): string {
  return format === "json" ? encodeJson(report) : encodeText(report);
}

function encodeJson(report: FetchStatusReport): string {
  const bounded = {
    ...report,
    ...(report.error !== undefined && { error: cutText(report.error, maxErrorBytes) }),
  };
  // output_cut grows by digits when output is cut: the frame is measured with the longest number.
  const frame = {
    ...bounded,
    apps: bounded.apps.map((app) => ({ ...app, output: "", output_cut: Number.MAX_SAFE_INTEGER })),
  };
  const budget = maxDataportBytes - Buffer.byteLength(JSON.stringify(frame));
  const shares = fairShares(
    bounded.apps.map(({ output }) => jsonBytes(output)),
    Math.max(0, budget),
  );
  const apps = bounded.apps.map((app, index) => {
    const { tail, bytesCut } = cutToTail(app.output, shares[index] ?? 0);
    return { ...app, output: tail, output_cut: app.output_cut + bytesCut };
  });
  return JSON.stringify({ ...bounded, apps });
}

/** As the original wrote it: what the installers printed, one after the other. */
function encodeText({ apps, error, expected }: FetchStatusReport): string {
  const complaint = error === undefined ? "" : `gwe: ${error}; expected: ${expected ?? ""}\n`;
  const text = complaint + apps.map(({ output }) => output).join("");
  const bytes = Buffer.from(text);
  if (bytes.length <= maxDataportBytes) return text;
  let start = bytes.length - maxDataportBytes;
  // Not within a character.
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString("utf8");
}

/** Divides `budget` so that small wants are met in full and the large ones share what is left evenly. */
export function fairShares(wants: readonly number[], budget: number): readonly number[] {
  const shares = wants.map(() => 0);
  let left = budget;
  const ascending = wants.map((want, index) => ({ want, index })).sort((a, b) => a.want - b.want);
  for (const [position, { want, index }] of ascending.entries()) {
    const share = Math.min(want, Math.floor(left / (ascending.length - position)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function isoTime(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}
