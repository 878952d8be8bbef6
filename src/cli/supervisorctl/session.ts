import { existsSync } from "node:fs";
import type { SupervisedProcess } from "../../core/process-api.ts";
import type { ControlClient } from "../control-client.ts";
import { ControlAccessError, EngineNotRunningError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { exitStatus } from "./exit-status.ts";
import { helpFor } from "./help.ts";

export interface SessionOptions {
  readonly terminal: Terminal;
  readonly client: ControlClient;
  readonly socketPath: string;
  /** What the run directory tells while the engine is down. @throws when this user may not read it */
  readonly withoutEngine: () => Promise<readonly SupervisedProcess[]>;
  readonly version: string;
}

/** What the actions of one `supervisorctl` share: where they print, and the exit status that they leave. */
export class Session {
  readonly terminal: Terminal;
  readonly client: ControlClient;
  readonly version: string;
  readonly withoutEngine: SessionOptions["withoutEngine"];
  /** The last trouble's, as with supervisorctl: what went well does not undo it. */
  exitStatus: number = exitStatus.ok;
  private readonly socketPath: string;

  constructor(options: SessionOptions) {
    this.terminal = options.terminal;
    this.client = options.client;
    this.version = options.version;
    this.withoutEngine = options.withoutEngine;
    this.socketPath = options.socketPath;
  }

  print(line: string): Promise<void> {
    return this.terminal.write(`${line}\n`);
  }

  /** A mistake in an action's arguments. */
  async refuse(action: string, line: string, status: number = exitStatus.generic): Promise<void> {
    this.exitStatus = status;
    await this.print(line);
    await this.print(helpFor(action) ?? "");
  }

  async fail(line: string, status: number = exitStatus.generic): Promise<void> {
    this.exitStatus = status;
    await this.print(line);
  }

  /**
   * Tells why the engine can't be asked, as supervisorctl would, and on stderr what to do about it.
   *
   * @throws the error itself when it is about something else
   */
  async explain(error: unknown): Promise<void> {
    const isAway = error instanceof EngineNotRunningError;
    if (!isAway && !(error instanceof ControlAccessError)) throw error;
    const url = `unix://${this.socketPath}`;
    if (!isAway) await this.fail(`error: ${url} permission denied`);
    else if (existsSync(this.socketPath)) {
      await this.fail(`${url} refused connection`, exitStatus.insufficientPrivileges);
    } else await this.fail(`${url} no such file`, exitStatus.notRunning);
    this.terminal.note(`supervisorctl: ${error.message}`);
  }
}
