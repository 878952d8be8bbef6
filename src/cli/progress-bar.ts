import type { Terminal } from "./terminal.ts";

const barWidth = 30;
/** A terminal is redrawn at most this often; where there is none, a line is written at most this often. */
const redrawMs = 100;
const lineMs = 10_000;

/** How far a long transfer is, on stderr: a bar that is redrawn on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  private readonly terminal: Terminal;
  private readonly what: string;
  private readonly nowMs: () => number;
  private readonly startedMs: number;
  private startedAt: number | undefined;
  private shownMs: number;
  private isDrawn = false;

  /** `nowMs`: a clock that never steps. Nothing is shown before the first `show`. */
  constructor(terminal: Terminal, what: string, nowMs: () => number) {
    this.terminal = terminal;
    this.what = what;
    this.nowMs = nowMs;
    this.startedMs = nowMs();
    this.shownMs = terminal.isTty ? Number.NEGATIVE_INFINITY : this.startedMs;
  }

  /** `totalBytes` undefined: not known. What is there at the first call does not count as transferred by this run. */
  show(doneBytes: number, totalBytes: number | undefined): void {
    this.startedAt ??= doneBytes;
    const now = this.nowMs();
    const isDone = doneBytes === totalBytes;
    if (now - this.shownMs < (this.terminal.isTty ? redrawMs : lineMs) && !(isDone && this.isDrawn)) return;
    this.shownMs = now;
    const text = progressText(this.what, {
      doneBytes,
      totalBytes,
      movedBytes: doneBytes - this.startedAt,
      elapsedMs: now - this.startedMs,
    });
    // \x1b[K clears what a longer text before left.
    if (this.terminal.isTty) this.terminal.prompt(`\r${text}\x1b[K`);
    else this.terminal.note(text);
    this.isDrawn = true;
  }

  /** Leaves the cursor on a line of its own. */
  end(): void {
    if (this.isDrawn && this.terminal.isTty) this.terminal.prompt("\n");
  }
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
  /** Of them, moved in this run. */
  readonly movedBytes: number;
  readonly elapsedMs: number;
}

/** One line: bar and per cent where the size is known, bytes, rate, and how long it will take at that rate. */
export function progressText(
  what: string,
  { doneBytes, totalBytes, movedBytes, elapsedMs }: Progress,
): string {
  const perSecond = elapsedMs > 0 ? (movedBytes * 1000) / elapsedMs : 0;
  const rate = `${bytesText(perSecond)}/s`;
  if (totalBytes === undefined) return `${what} ${bytesText(doneBytes)} ${rate}`;
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const filled = Math.floor(share * barWidth);
  const bar = `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const left = perSecond > 0 ? ` ${durationText((totalBytes - doneBytes) / perSecond)} left` : "";
  return `${what} ${bar}${percent} ${bytesText(doneBytes)} of ${bytesText(totalBytes)} ${rate}${share < 1 ? left : ""}`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `999 B`, `1.5 MiB`: three digits or fewer. */
function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
