import type { Writable } from "node:stream";

/** A way into the machine's syslog; `platform/syslog-pipe.ts` has the real one. */
interface SyslogPipe {
  readonly input: Writable | undefined;
  close(): Promise<void>;
}

export interface SyslogDependencies {
  /** Whether somebody listens there at all. */
  readonly isThere: () => boolean;
  readonly open: () => SyslogPipe;
  /** Somebody listens, and yet lines are dropped; told once until they are taken again. */
  readonly onDropping: () => void;
  /** Monotonic, ms. */
  readonly monotonic: () => number;
}

const reopenMs = 1_000;
const maxWaitingBytes = 256 * 1024;

/**
 * Hands lines to the machine's syslog as well as that takes them: lines that it doesn't take in time are counted and
 * dropped, as a syslog socket itself would.
 */
export class Syslog {
  private readonly deps: SyslogDependencies;
  private pipe: SyslogPipe | undefined;
  private openedAt = Number.NEGATIVE_INFINITY;
  private dropped = 0;

  constructor(deps: SyslogDependencies) {
    this.deps = deps;
  }

  get isThere(): boolean {
    return this.deps.isThere();
  }

  /** @param name begins each line, as supervisord has it */
  send(name: string, lines: readonly Buffer[]): void {
    if (lines.length === 0) return;
    const input = this.opened();
    if (input === undefined || input.writableLength > maxWaitingBytes) {
      if (this.dropped === 0 && this.isThere) this.deps.onDropping();
      this.dropped += lines.length;
      return;
    }
    if (this.dropped > 0) input.write(`gwe-logd ${this.dropped} lines dropped: syslog did not take them\n`);
    this.dropped = 0;
    input.write(Buffer.concat(lines.flatMap((line) => [Buffer.from(`${name} `), line, Buffer.from("\n")])));
  }

  async close(): Promise<void> {
    await this.pipe?.close();
  }

  private opened(): Writable | undefined {
    const { isThere, open, monotonic } = this.deps;
    if (this.pipe?.input === undefined && isThere() && monotonic() - this.openedAt >= reopenMs) {
      this.openedAt = monotonic();
      this.pipe = open();
    }
    return this.pipe?.input;
  }
}
