import { fstatSync } from "node:fs";
import type { LogLevel as ConfigLogLevel } from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { LogFields, Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import { RotatingFile } from "../platform/rotating-file.ts";

type LineLevel = "debug" | "info" | "warn" | "error";
export type LogLevel = LineLevel | "silent";

const byConfig: Readonly<Record<ConfigLogLevel, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "silent",
};

/** The configuration's name of a level, as the log knows it. */
export function logLevelOf<Level extends ConfigLogLevel | undefined>(
  level: Level,
): Level extends undefined ? undefined : LogLevel;
export function logLevelOf(level: ConfigLogLevel | undefined): LogLevel | undefined {
  return level && byConfig[level];
}

const ranks: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

export interface LoggingOptions {
  readonly level: LogLevel;
  /** The engine's own log file, rotated by size; undefined for none. */
  readonly file: string | undefined;
  /** Lines go to systemd's journal: it adds the time itself and reads the priority from a `<N>` prefix. */
  readonly journal: boolean;
  /** Applied to every line as a last defence; nothing secret should reach a log call in the first place. */
  readonly redact: Redact;
}

export interface Logging {
  readonly logger: Logger;
  /** A logger of a part that has a level of its own, asked at every line; undefined: the engine's. */
  withLevel(level: () => LogLevel | undefined): Logger;
  /** Resolves when every line is written. */
  close(): Promise<void>;
}

/** Flash is small and wears: two files of this size at most. */
const maxFileBytes = 512 * 1024;

/** syslog priorities, as journald understands them. */
const priorities: Readonly<Record<LineLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

export function openLogging({ level, file, journal, redact }: LoggingOptions): Logging {
  // A terminal or pipe that has gone must not take the engine with it.
  const onStderrError = (): void => undefined;
  process.stderr.on("error", onStderrError);
  const rotating =
    file === undefined ? undefined : new RotatingFile({ file, maxBytes: maxFileBytes, mode: 0o640 });
  const write: WriteLine = (name, message, fields) => {
    const text = redact(`${message}${formatFields(fields)}`);
    const line = journal
      ? `<${priorities[name]}>${text}`
      : `${new Date().toISOString()} ${name.toUpperCase().padEnd(5)} ${text}`;
    process.stderr.write(`${line}\n`);
    rotating?.append(line);
  };
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => process.stderr.write("", () => resolve()));
    rotating?.close();
    process.stderr.off("error", onStderrError);
  };
  return {
    logger: new LineLogger(write, () => level, {}),
    withLevel: (own) => new LineLogger(write, () => own() ?? level, {}),
    close,
  };
}

/** Whether what is written to `fd` goes to systemd's journal. Children inherit the variable even where it does not. */
export function isJournalStream(fd: number): boolean {
  const stream = process.env.JOURNAL_STREAM;
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${dev}:${ino}`;
}

type WriteLine = (level: LineLevel, message: string, fields: LogFields) => void;

class LineLogger implements Logger {
  private readonly writeLine: WriteLine;
  private readonly threshold: () => LogLevel;
  private readonly fields: LogFields;

  constructor(writeLine: WriteLine, threshold: () => LogLevel, fields: LogFields) {
    this.writeLine = writeLine;
    this.threshold = threshold;
    this.fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new LineLogger(this.writeLine, this.threshold, { ...this.fields, ...fields });
  }

  private write(level: LineLevel, message: string, fields: LogFields = {}): void {
    if (ranks.indexOf(level) < ranks.indexOf(this.threshold())) return;
    this.writeLine(level, message, { ...this.fields, ...fields });
  }
}

/** ` key=value …`; a value that is not one plain word is quoted as JSON, so that a line stays one line. */
function formatFields(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${formatValue(value)}`)
    .join("");
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(describeError(value));
  if (typeof value === "string") return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, or a number too big for JSON: a log line is no reason to fail.
    return JSON.stringify(String(value));
  }
}
