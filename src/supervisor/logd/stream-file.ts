/** One output stream of an app: a FIFO that it writes into, and where the log daemon takes what comes out. */
export interface LogStream {
  /** Absolute. */
  readonly fifo: string;
  /** Absolute; null: only to syslog. */
  readonly file: string | null;
  /** Beyond this many bytes the file is rotated; 0: never. */
  readonly maxBytes: number;
  /** How many rotated files are kept; 0: none. */
  readonly backups: number;
  /** Each line goes to syslog too, after this name; null: not. */
  readonly syslog: string | null;
  /** The file is written only where there is no syslog to send to. */
  readonly fileIsFallback: boolean;
}

/** What the engine tells the log daemon of one launcher. */
export interface UnitStreams {
  /** Holds the launcher's identity: while it lives, more may come. */
  readonly launcherFile: string;
  readonly streams: readonly LogStream[];
}

export function renderUnitStreams(unit: UnitStreams): string {
  return `${JSON.stringify(unit)}\n`;
}

/**
 * Reads what `renderUnitStreams` wrote; undefined for anything else. Without a schema library: that would be a third
 * of the log daemon's size, and the file comes from the engine alone.
 */
export function parseUnitStreams(text: string): UnitStreams | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.launcherFile !== "string" || !Array.isArray(value.streams)) return;
  const streams = value.streams.filter(isLogStream);
  if (streams.length !== value.streams.length) return undefined;
  return { launcherFile: value.launcherFile, streams };
}

function isLogStream(value: unknown): value is LogStream {
  return (
    isRecord(value) &&
    typeof value.fifo === "string" &&
    (value.file === null || typeof value.file === "string") &&
    isCount(value.maxBytes) &&
    isCount(value.backups) &&
    (value.syslog === null || typeof value.syslog === "string") &&
    typeof value.fileIsFallback === "boolean"
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
