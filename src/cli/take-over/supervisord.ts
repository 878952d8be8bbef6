import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../doctor/command-output.ts";

/** The `supervisorctl` of the supervisord that is to be succeeded; undefined where there is none. */
export function findSupervisorctl(): string | undefined {
  return ["/usr/bin/supervisorctl", "/usr/local/bin/supervisorctl", "/usr/sbin/supervisorctl"].find(
    (file) => existsSync(file) && !isOurs(file),
  );
}

/** This engine has a program of that name itself. */
function isOurs(file: string): boolean {
  return existsSync(join(dirname(dirname(realpathSync(file))), "dist/supervisorctl.js"));
}

/** Speaks to supervisord. A stop may take as long as its program's `stopwaitsecs`. */
export class Supervisord {
  private readonly program: string;

  constructor(program: string) {
    this.program = program;
  }

  /** Process (`group:name`, or the name alone) → its state; undefined where no supervisord answers. */
  async states(): Promise<Readonly<Record<string, string>> | undefined> {
    return statesIn((await this.call("status")) ?? "");
  }

  /** Stops what its files do not name any more, and starts what they name anew. */
  async update(): Promise<void> {
    await this.call("update");
  }

  async start(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.call("start", ...names);
  }

  async stop(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.call("stop", ...names);
  }

  private call(...args: readonly string[]): Promise<string | undefined> {
    return runCommand(this.program, args, { acceptFailure: true, timeoutMs: 120_000 });
  }
}

const stateNames = /^(STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN)$/;

/** From the output of `supervisorctl status`; undefined where it is something else. */
export function statesIn(text: string): Readonly<Record<string, string>> | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const rows = lines.map((line) => line.trim().split(/\s+/));
  if (!rows.every(([name, state]) => name !== undefined && stateNames.test(state ?? ""))) return undefined;
  return Object.fromEntries(rows.map(([name = "", state = ""]) => [name, state]));
}
