import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";

/** What an attendant has kept of a program that has ended. */
export interface AttendedOutcome {
  readonly end: "exited" | "signaled" | "timed-out";
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The end of what it printed. May hold any bytes. */
  readonly output: Buffer;
  readonly outputBytesCut: number;
  /** The time limit that it was run with. */
  readonly limitMs: number;
}

/** Whether the program has ended as far as the disk knows: whether there is an outcome to read. */
export function attendedHasEnded(directory: string): boolean {
  return readStatus(directory) !== undefined;
}

/** What is left in an attendant's directory; undefined when the program has not ended as far as the disk knows. */
export function attendedOutcome(directory: string, maxOutputBytes: number): AttendedOutcome | undefined {
  const found = readStatus(directory);
  if (found === undefined) return undefined;
  const [, how, status, dropped, limit] = found;
  const printed = ["output.1", "output"].map((name) => read(directory, name) ?? Buffer.alloc(0));
  const whole = Buffer.concat(printed);
  const output = Buffer.from(whole.subarray(Math.max(0, whole.length - maxOutputBytes)));
  // A shell knows no more: what exits with such a status by itself is told as ended by a signal.
  const signal = Number(status) > 128 ? signalOf(Number(status) - 128) : undefined;
  const end = signal === undefined ? "exited" : "signaled";
  return {
    end: how === "timed-out" ? "timed-out" : end,
    exitCode: signal === undefined ? Number(status) : undefined,
    signal,
    output,
    outputBytesCut: Number(dropped) + whole.length - output.length,
    limitMs: Number(limit) * 1000,
  };
}

/** The pid that the program had, which leads its process group; undefined when it was not begun with. */
export function attendedGroup(directory: string): number | undefined {
  const pid = Number.parseInt(read(directory, "group")?.toString("latin1") ?? "", 10);
  return Number.isNaN(pid) ? undefined : pid;
}

function readStatus(directory: string): RegExpExecArray | undefined {
  const text = read(directory, "status")?.toString("latin1") ?? "";
  return /^(ended|timed-out) (\d{1,3}) (\d{1,15}) ([\d.]+)\n$/.exec(text) ?? undefined;
}

function signalOf(number: number): NodeJS.Signals | undefined {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name as NodeJS.Signals | undefined;
}

function read(directory: string, name: string): Buffer | undefined {
  try {
    return readFileSync(join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
