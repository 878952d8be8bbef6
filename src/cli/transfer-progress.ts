import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";

const lineMs = 10_000;

export interface TransferOptions {
  readonly terminal: Terminal;
  /** What is moved. */
  readonly what: string;
  /** How an amount is written. */
  readonly format: (amount: number) => string;
  /** A clock that never steps. */
  readonly nowMs: () => number;
}

/** How far a long transfer is: with how much of it, at what rate, and how long it will take at that rate. */
export class TransferProgress {
  private readonly options: TransferOptions;
  private readonly line: ProgressLine;
  private readonly startedMs: number;
  private startedAt: number | undefined;

  constructor(options: TransferOptions) {
    this.options = options;
    this.line = new ProgressLine({ terminal: options.terminal, nowMs: options.nowMs, lineMs });
    this.startedMs = options.nowMs();
  }

  /** `total` undefined: not known. What is there at the first call does not count as moved by this run. */
  show(done: number, total: number | undefined): void {
    this.startedAt ??= done;
    const { what, format, nowMs } = this.options;
    const moved = done - this.startedAt;
    const text = transferText({ done, total, moved, elapsedMs: nowMs() - this.startedMs }, format);
    this.line.show({ share: shareOf(done, total), text: `${what}  ${text}` });
  }

  /** Leaves the cursor on a line of its own. */
  end(): void {
    this.line.end();
  }
}

export interface Transfer {
  readonly done: number;
  readonly total: number | undefined;
  /** Of what is done, what was moved in this run. */
  readonly moved: number;
  readonly elapsedMs: number;
}

function shareOf(done: number, total: number | undefined): number | undefined {
  if (total === undefined) return undefined;
  return total === 0 ? 1 : Math.min(1, done / total);
}

/** `50.0 MiB of 100 MiB, 5.0 MiB/s, 10 s left` */
export function transferText(
  { done, total, moved, elapsedMs }: Transfer,
  format: TransferOptions["format"],
): string {
  const perSecond = elapsedMs > 0 ? (moved * 1000) / elapsedMs : 0;
  const rate = `${format(perSecond)}/s`;
  if (total === undefined) return `${format(done)}, ${rate}`;
  const left = perSecond > 0 && done < total ? `, ${durationText((total - done) / perSecond)} left` : "";
  return `${format(done)} of ${format(total)}, ${rate}${left}`;
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
