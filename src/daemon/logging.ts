import { fstatSync } from "node:fs";
import { Writable } from "node:stream";
import { createLogger, format, transports, type Logger as WinstonLogger } from "winston";
import type { LogLevel as ConfigLogLevel } from "../config/index.ts";
import { describeError } from "../core/errors.ts";
import type { LogFields, Logger } from "../core/logger.ts";
import type { Redact } from "../core/redact.ts";
import { RotatingFile } from "../platform/rotating-file.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

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
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

export function openLogging({ level, file, journal, redact }: LoggingOptions): Logging {
  const line = format.printf((info) => {
    const { level: name, message, time, fields } = info as unknown as LogLine;
    const text = redact(`${message}${formatFields(fields)}`);
    return journal ? `<${priorities[name] ?? 6}>${text}` : `${time} ${name.toUpperCase().padEnd(5)} ${text}`;
  });
  // A terminal or pipe that has gone must not take the engine with it.
  const onStderrError = (): void => undefined;
  process.stderr.on("error", onStderrError);
  const rotating =
    file === undefined ? undefined : new RotatingFile({ file, maxBytes: maxFileBytes, mode: 0o640 });
  // Each logger has a level: winston itself lets everything pass.
  const winston = createLogger({
    level: "debug",
    format: line,
    transports: [
      new transports.Console({ stderrLevels: ["error", "warn", "info", "debug"], forceConsole: false }),
      ...(rotating === undefined ? [] : [new transports.Stream({ stream: streamInto(rotating), eol: "" })]),
    ],
  });
  const close = async (): Promise<void> => {
    await closed(winston);
    rotating?.close();
    process.stderr.off("error", onStderrError);
  };
  return {
    logger: new WinstonAdapter(winston, () => level, {}),
    withLevel: (own) => new WinstonAdapter(winston, () => own() ?? level, {}),
    close,
  };
}

function streamInto(file: RotatingFile): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line, _encoding, done) => {
      file.append(String(line));
      done();
    },
  });
}

/** Whether what is written to `fd` goes to systemd's journal. Children inherit the variable even where it does not. */
export function isJournalStream(fd: number): boolean {
  const stream = process.env.JOURNAL_STREAM;
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return stream === `${dev}:${ino}`;
}

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly time: string;
  readonly fields: LogFields;
}

class WinstonAdapter implements Logger {
  private readonly winston: WinstonLogger;
  private readonly threshold: () => LogLevel;
  private readonly fields: LogFields;

  constructor(winston: WinstonLogger, threshold: () => LogLevel, fields: LogFields) {
    this.winston = winston;
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
    return new WinstonAdapter(this.winston, this.threshold, { ...this.fields, ...fields });
  }

  private write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (ranks.indexOf(level) < ranks.indexOf(this.threshold())) return;
    // Message and fields are kept apart: winston would splice a field named `message` into the text.
    this.winston.log({
      level,
      message,
      time: new Date().toISOString(),
      fields: { ...this.fields, ...fields },
    });
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

function closed(winston: WinstonLogger): Promise<void> {
  return new Promise((resolve) => {
    winston.once("finish", resolve);
    winston.end();
  });
}
