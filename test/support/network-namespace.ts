import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** A network namespace of its own, with a `/sys` that shows it: it is gone with the process that holds it. */
export class NetworkNamespace implements AsyncDisposable {
  /** A command that becomes the one behind it, within the namespace. */
  readonly enter: readonly string[];
  readonly pid: number;
  private readonly holder: ChildProcess;

  private constructor(holder: ChildProcess, pid: number) {
    this.holder = holder;
    this.pid = pid;
    this.enter = ["nsenter", "-t", String(pid), "-n", "-m", "--"];
  }

  static async create(): Promise<NetworkNamespace> {
    const holding = "mount -t sysfs none /sys && ip link set lo up && echo up && exec cat";
    const holder = spawn("unshare", ["-n", "-m", "sh", "-c", holding], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return new NetworkNamespace(holder, holder.pid ?? 0);
  }

  run(...command: readonly string[]): void {
    runCommand([...this.enter, ...command]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.holder, "exit");
    this.holder.stdin?.end();
    await ended;
  }
}

/** @throws TypeError when it fails */
export function runCommand(command: readonly string[]): void {
  const [program = "", ...args] = command;
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new TypeError(`${command.join(" ")}: ${stderr}`);
}
