import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
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
  private readonly messages: string;

  /** @param messages a file for what programs print */
  constructor(messages: string) {
    this.messages = messages;
    this.process = spawn("sh", { stdio: ["pipe", "pipe", "inherit"] });
    this.reader = createInterface({ input: this.process.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** @returns the program's exit status */
  async statusOf(...command: readonly string[]): Promise<number> {
    this.process.stdin.write(`${command.map(quoted).join(" ")} >${quoted(this.messages)} 2>&1; echo $?\n`);
    const { value, done } = await this.lines.next();
    if (done === true) throw new RigError("the shell has ended");
    return Number(value);
  }

  /** @throws RigError when it fails */
  async run(...command: readonly string[]): Promise<void> {
    const status = await this.statusOf(...command);
    if (status === 0) return;
    throw new RigError(`${command.join(" ")}: status ${status}\n${readFileSync(this.messages, "utf8")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reader.close();
    this.process.stdin.end();
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
