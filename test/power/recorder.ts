/** A mounted ext4 whose every write and flush is recorded: ext4 → loop device → FUSE export → QEMU's `blklogwrites` → files. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RigError } from "./errors.ts";
import { unmount } from "./file-system.ts";
import type { Shell } from "./shell.ts";
import { sectorBytes } from "./write-log.ts";

const startDeadlineMs = 20_000;

export interface RecorderOptions {
  /** The disk at the beginning; it is written to. */
  readonly image: string;
  /** Where to mount it. */
  readonly directory: string;
  /** For the log and other files of the recorder. */
  readonly scratch: string;
  readonly shell: Shell;
}

export class Recorder implements AsyncDisposable {
  /** Where the disk's file system is mounted. */
  readonly directory: string;
  readonly log: string;
  private readonly exported: string;
  private readonly pidFile: string;
  private readonly image: string;
  private readonly shell: Shell;
  private daemon: ChildProcess | undefined;
  private messages = "";
  private mounted = false;

  constructor({ image, directory, scratch, shell }: RecorderOptions) {
    this.shell = shell;
    this.image = image;
    this.directory = directory;
    this.log = join(scratch, "log");
    this.exported = join(scratch, "export");
    this.pidFile = join(scratch, "recorder.pid");
  }

  /** Mounts the disk. What mounting writes is recorded as well. */
  async start(): Promise<void> {
    writeFileSync(this.log, "");
    writeFileSync(this.exported, "");
    rmSync(this.pidFile, { force: true });
    const node = (...options: readonly string[]): readonly string[] => ["--blockdev", options.join(",")];
    const daemon = spawn(
      "qemu-storage-daemon",
      [
        ...node("driver=file", "node-name=disk", `filename=${this.image}`),
        ...node("driver=file", "node-name=log", `filename=${this.log}`),
        ...node(
          "driver=blklogwrites",
          "node-name=recorded",
          "file=disk",
          "log=log",
          `log-sector-size=${sectorBytes}`,
        ),
        "--export",
        `type=fuse,id=export,node-name=recorded,mountpoint=${this.exported},writable=on`,
        ...["--pidfile", this.pidFile],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.daemon = daemon;
    daemon.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.messages += text;
    });
    daemon.once("error", (error) => {
      this.messages += error.message;
    });
    // It writes this when the export is there.
    for (const deadline = performance.now() + startDeadlineMs; !existsSync(this.pidFile); await delay(5)) {
      if (daemon.exitCode !== null || daemon.pid === undefined || performance.now() > deadline) {
        throw new RigError(`qemu-storage-daemon does not come up: ${this.messages}`);
      }
    }
    await this.shell.run("mount", "-t", "ext4", "-o", "loop", this.exported, this.directory);
    this.mounted = true;
  }

  /** Unmounts, so that the log is whole. */
  async stop(): Promise<void> {
    if (this.mounted) await unmount(this.shell, this.directory);
    this.mounted = false;
    await this.end();
    if (this.messages !== "") throw new RigError(`qemu-storage-daemon complained: ${this.messages}`);
    if (statSync(this.log).size === 0) throw new RigError("nothing was recorded");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.mounted) await this.shell.statusOf("umount", "--lazy", this.directory);
    this.mounted = false;
    await this.end();
  }

  private async end(): Promise<void> {
    const { daemon } = this;
    this.daemon = undefined;
    if (daemon === undefined || daemon.pid === undefined || daemon.exitCode !== null) return;
    const exited = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await exited;
  }
}
