import type { Terminal } from "./terminal.ts";

const barColumns = 30;
/** A terminal is redrawn at most this often. */
const redrawMs = 100;
/** Clears what a longer text before left to the right of the cursor. */
const clearRest = "\u001b[K";

export interface ProgressLineOptions {
  readonly terminal: Terminal;
  /** A clock that never steps. */
  readonly nowMs: () => number;
  /** Where there is no terminal to draw on, a line at most this often. The first comes after so long, too. */
  readonly lineMs: number;
}

/** How far something is. */
export interface Progress {
  /** From 0 to 1; undefined where the end is not known. */
  readonly share: number | undefined;
  readonly text: string;
}

/**
 * Progress on stderr, so that stdout stays for what a script reads: one line that is redrawn on a terminal, a line
 * with what is new now and then elsewhere.
 */
export class ProgressLine {
  private readonly options: ProgressLineOptions;
  private shownMs: number;
  private shown = "";

  /** Nothing is shown before the first `show`. */
  constructor(options: ProgressLineOptions) {
    this.options = options;
    this.shownMs = options.terminal.isTty ? Number.NEGATIVE_INFINITY : options.nowMs();
  }

  show(progress: Progress): void {
    const { terminal, nowMs, lineMs } = this.options;
    const now = nowMs();
    const isEnd = progress.share === 1 && this.shown !== "";
    if (now - this.shownMs < (terminal.isTty ? redrawMs : lineMs) && !isEnd) return;
    const line = progressLine(progress, terminal.columns);
    if (line === this.shown) return;
    if (terminal.isTty) terminal.prompt(`\r${line}${clearRest}`);
    else terminal.note(line);
    this.shownMs = now;
    this.shown = line;
  }

  /** Leaves the line as it is, and the cursor below it. */
  end(): void {
    if (this.shown !== "" && this.options.terminal.isTty) this.options.terminal.prompt("\n");
  }

  /** Takes the line away from a terminal. */
  clear(): void {
    if (this.shown !== "" && this.options.terminal.isTty) this.options.terminal.prompt(`\r${clearRest}`);
  }
}

/** `[####----]  50 %  text`, not longer than a line of the terminal; where there is none, without the bar. */
export function progressLine({ share, text }: Progress, columns: number | undefined): string {
  const line = share === undefined ? text : `${percent(share)}  ${text}`;
  if (columns === undefined) return line.trimStart();
  // The last column stays free: filling it makes some terminals begin a new line.
  return `${share === undefined ? "" : `${bar(share)} `}${line}`.slice(0, Math.max(0, columns - 1));
}

function percent(share: number): string {
  return `${String(Math.floor(100 * share)).padStart(3)} %`;
}

function bar(share: number): string {
  const filled = Math.floor(share * barColumns);
  return `[${"#".repeat(filled)}${"-".repeat(barColumns - filled)}]`;
}
