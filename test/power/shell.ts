import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { RigError } from "./errors.ts";

/**
 * A shell that stays: it starts a program in a tenth of the time that this process needs to fork with all of its
 * memory, and there are two to be started for each state.
 */
export class Shell implements AsyncDisposable {
  private readonly process: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  constructor() {
    this.process = spawn("sh", { stdio: ["pipe", "pipe", "inherit"] });
    this.reader = createInterface({ input: this.process.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Runs a program that prints nothing on its standard output. @returns its exit status */
  async statusOf(...command: readonly string[]): Promise<number> {
    this.process.stdin.write(`${command.map(quoted).join(" ")} >/dev/null 2>&1; echo $?\n`);
    const { value, done } = await this.lines.next();
    if (done === true) throw new RigError("the shell has ended");
    return Number(value);
  }

  /** @throws RigError when it fails */
  async run(...command: readonly string[]): Promise<void> {
    const status = await this.statusOf(...command);
    if (status !== 0) throw new RigError(`${command.join(" ")}: status ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reader.close();
    this.process.stdin.end();
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
