import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { RigError } from "./errors.ts";

const pauseSeconds = 0.03;

/**
 * The kernel's own flusher in fast motion: brings to disk, again and again, whatever lies in the page cache. So cuts also
 * meet files of which nobody has asked for anything to be durable yet, half written.
 */
export class Writeback {
  private readonly directory: string;
  private process: ChildProcess | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  start(): void {
    const script = `while sync -f "$1"; do sleep ${pauseSeconds}; done`;
    this.process = spawn("sh", ["-c", script, "writeback", this.directory], {
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
    });
  }

  async stop(): Promise<void> {
    const { pid, exitCode } = this.process ?? {};
    if (this.process === undefined || pid === undefined) return;
    if (exitCode !== null) throw new RigError("writing back what is in the page cache has ended early");
    const exited = once(this.process, "exit");
    this.process = undefined;
    // With the `sync` or `sleep` of the moment.
    process.kill(-pid, "SIGKILL");
    await exited;
  }
}
