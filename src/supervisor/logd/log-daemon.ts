import { existsSync, type FSWatcher, readdirSync, readFileSync, rmSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { backupsToDrop, rotationLimit } from "./budget.ts";
import { FifoReader } from "./fifo-reader.ts";
import { handOver, type LogdLayout } from "./layout.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LogFile } from "./log-file.ts";
import { type LogStream, parseUnitStreams, type UnitStreams } from "./stream-file.ts";
import type { Syslog } from "./syslog.ts";

export interface LogDaemonDependencies {
  readonly layout: LogdLayout;
  /** What all logs together may take, bytes. */
  readonly budgetBytes: number;
  /** What goes wrong is told here; bounded. Absolute. */
  readonly ownLog: string;
  readonly syslog: Syslog;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Another log daemon takes this one's place: it is to end at once. */
  readonly onHandOver: () => void;
  /** Before a rotated file is gone for good. */
  readonly beforeDrop?: (file: string) => void;
}

interface OpenStream {
  readonly stream: LogStream;
  /** Of the FIFO: another may take its name. */
  readonly inode: number;
  readonly reader: FifoReader;
  /** For syslog. */
  readonly lines: LineSplitter;
}

const readBytes = 64 * 1024;
/** More than a FIFO holds, however big its app has made it: what was in it at the beginning is out at the end. */
const drainBytes = 1024 * 1024;
/** Longer than starting another takes: after this, the one that asked is taken for dead. */
const handOverMs = 30_000;
const lookIntervalMs = 10_000;
/** What syslog's messages hold everywhere, less the prefix. */
const syslogLineBytes = 900;
const ownLogBytes = 64 * 1024;

/** Reads the FIFOs that apps write into, and keeps their log files. */
export class LogDaemon {
  private readonly deps: LogDaemonDependencies;
  private readonly buffer = Buffer.allocUnsafeSlow(readBytes);
  /** By FIFO. */
  private readonly streams = new Map<string, OpenStream>();
  /** By name: streams may share one. */
  private readonly files = new Map<string, LogFile>();
  private readonly ownLog: LogFile;
  private units: readonly UnitStreams[] = [];
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: LogDaemonDependencies) {
    const { ownLog: file, now } = deps;
    this.deps = deps;
    const options = { file, maxBytes: () => ownLogBytes, backups: 1, now, onRotated: () => undefined };
    this.ownLog = new LogFile(options);
  }

  /** Begins to read. All directories of the layout have to be there. */
  start(): void {
    this.watcher = watch(this.deps.layout.requests, () => this.answerRequests());
    this.timer = setInterval(() => this.lookAround(), lookIntervalMs);
    this.answerRequests();
    this.scan();
  }

  /** Writes what is in the FIFOs by now, and lets go of all. What comes later waits in them for the next log daemon. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.watcher?.close();
    for (const open of this.streams.values()) this.close(open);
    for (const file of this.files.values()) file.close();
    await this.deps.syslog.close();
  }

  /** Files that hold the identities of those who write here: launchers, and apps, which may outlive a launcher. */
  writerFiles(): readonly string[] {
    return this.units.flatMap(({ launcherFile }) => [launcherFile, join(dirname(launcherFile), "child")]);
  }

  get isHandedOver(): boolean {
    return existsSync(join(this.deps.layout.requests, handOver));
  }

  /** For the operator, in the log daemon's own log. */
  complain(message: string): void {
    this.ownLog.write(Buffer.from(`${new Date(this.deps.now()).toISOString()} ${message}\n`));
  }

  private answerRequests(): void {
    const { requests } = this.deps.layout;
    const names = namesIn(requests);
    if (names.length === 0) return;
    this.scan();
    this.drainAll();
    for (const name of names) if (name !== handOver) rmSync(join(requests, name), { force: true });
    if (names.includes(handOver)) this.answerHandOver(join(requests, handOver));
  }

  /** It stays until the next log daemon is started, so that none in between begins; but not for ever. */
  private answerHandOver(file: string): void {
    const askedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (askedMs === undefined) return;
    if (Math.abs(this.deps.now() - askedMs) > handOverMs) rmSync(file, { force: true });
    else this.deps.onHandOver();
  }

  private lookAround(): void {
    this.answerRequests();
    this.scan();
    for (const file of this.files.values()) {
      file.tellLoss();
      file.refresh();
    }
    this.keepBudget();
  }

  private drainAll(): void {
    for (const { reader } of this.streams.values()) reader.drain(drainBytes);
  }

  /** Reads what the engine wants read, and stops reading the rest. */
  private scan(): void {
    this.units = this.readUnits();
    const wanted = new Map(
      this.units.flatMap(({ streams }) => streams).map((stream) => [stream.fifo, stream]),
    );
    for (const [fifo, open] of this.streams) {
      const stream = wanted.get(fifo);
      const isSame = stream !== undefined && JSON.stringify(stream) === JSON.stringify(open.stream);
      if (isSame && inodeOf(fifo) === open.inode) continue;
      this.close(open);
    }
    this.closeUnusedFiles();
    for (const stream of wanted.values()) if (!this.streams.has(stream.fifo)) this.open(stream);
  }

  private readUnits(): readonly UnitStreams[] {
    const { streams } = this.deps.layout;
    return namesIn(streams).flatMap((name) => {
      const unit = parseUnitStreams(readTextIfThere(join(streams, name)));
      return unit === undefined ? [] : [unit];
    });
  }

  private open(stream: LogStream): void {
    const inode = inodeOf(stream.fifo);
    // Its launcher is about to make it, and tells.
    if (inode === undefined) return;
    const lines = new LineSplitter(syslogLineBytes);
    try {
      const reader = new FifoReader({
        fifo: stream.fifo,
        buffer: this.buffer,
        onData: this.sink(stream, lines),
        onError: (error) => {
          this.complain(`${stream.fifo} can't be read: ${error.message}`);
          this.streams.delete(stream.fifo);
        },
      });
      this.streams.set(stream.fifo, { stream, inode, reader, lines });
    } catch (error) {
      this.complain(`${stream.fifo} can't be opened: ${describeError(error)}`);
    }
  }

  private sink(stream: LogStream, lines: LineSplitter): (chunk: Buffer) => void {
    const { syslog } = this.deps;
    const name = stream.syslog;
    const file = this.file(stream);
    const toFile = (chunk: Buffer): void => file?.write(chunk);
    if (name === null) return toFile;
    return (chunk) => {
      syslog.send(name, lines.push(chunk));
      if (!stream.fileIsFallback || !syslog.isThere) toFile(chunk);
    };
  }

  private file({ file, maxBytes, backups }: LogStream): LogFile | undefined {
    const { now, budgetBytes, beforeDrop } = this.deps;
    if (file === null) return undefined;
    const known = this.files.get(file);
    if (known !== undefined) return known;
    const fresh = new LogFile({
      file,
      maxBytes: () => rotationLimit(maxBytes, budgetBytes, this.files.size),
      backups,
      now,
      onRotated: () => this.keepBudget(),
      ...(beforeDrop !== undefined && { beforeDrop }),
    });
    this.files.set(file, fresh);
    return fresh;
  }

  private close({ stream, reader, lines }: OpenStream): void {
    reader.drain(drainBytes);
    reader.close();
    if (stream.syslog !== null) this.deps.syslog.send(stream.syslog, lines.end());
    this.streams.delete(stream.fifo);
  }

  private closeUnusedFiles(): void {
    const used = new Set([...this.streams.values()].map(({ stream }) => stream.file));
    for (const [name, file] of this.files) {
      if (used.has(name)) continue;
      file.close();
      this.files.delete(name);
    }
  }

  private keepBudget(): void {
    const usages = new Map([...this.files.values()].map((file) => [file, file.usage]));
    try {
      for (const file of backupsToDrop(usages, this.deps.budgetBytes)) file.dropOldestBackup();
    } catch (error) {
      this.complain(`a log's backup can't be removed: ${describeError(error)}`);
    }
  }
}

/** Without those that begin with a dot: they are just being written. */
function namesIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => !name.startsWith("."));
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

function readTextIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
