import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../core/logger.ts";
import type { AppLocks } from "../app-locks.ts";
import type { Pm2Entry, Pm2Port } from "../pm2/index.ts";
import type { SupervisorSystem } from "../system.ts";
import { handOver, type LogdLayout } from "./layout.ts";

export interface LogDaemonSettings {
  /** The bundle as shipped; a copy is run. */
  readonly programFile: string;
  /** What all apps' logs together may take, bytes. */
  readonly budgetBytes: number;
  /** Where syslog listens; `/dev/log` by default. */
  readonly syslogSocket?: string;
}

export interface LogDaemonKeeperDependencies extends LogDaemonSettings {
  readonly layout: LogdLayout;
  readonly runDir: string;
  readonly logDir: string;
  readonly nodeFile: string;
  /** The log daemon's PATH. */
  readonly path: string;
  readonly pm2: Pm2Port;
  readonly locks: AppLocks;
  readonly system: SupervisorSystem;
  readonly logger: Logger;
}

/** No app can be called this: a name doesn't begin with a dot. */
const entryName = ".gwe-logd";
/** As a `priority`: below every app's. */
const stoppedLast = Number.MIN_SAFE_INTEGER;
const restartDelayMs = 250;
const killTimeoutMs = 10_000;
/** As pm2's daemon has them, and for the same reason (docs/supervision.md). */
const nodeFlags = ["--max-semi-space-size=1", "--v8-pool-size=0", "--optimize-for-size"];

/** Has pm2 run the log daemon: always, one, and the one that came with this engine. */
export class LogDaemonKeeper {
  private readonly deps: LogDaemonKeeperDependencies;
  private generation = 0;

  constructor(deps: LogDaemonKeeperDependencies) {
    this.deps = deps;
  }

  /** Lays the ground; before any app is started. */
  prepare(): void {
    const { layout, system, programFile } = this.deps;
    for (const directory of [layout.directory, layout.streams, layout.fifos, layout.requests]) {
      system.ensureDirectory(directory, 0o700);
    }
    const program = readFileSync(programFile, "utf8");
    system.writeFileAtomic(layout.program, program, { mode: 0o600 });
    const digest = createHash("sha256").update(program).update(JSON.stringify(this.command()));
    // A log daemon of another engine, or with other settings, is replaced. As big as a number can be exactly.
    this.generation = digest.digest().readUIntBE(0, 6);
  }

  isOwn({ name }: Pm2Entry): boolean {
    return name === entryName;
  }

  /** @param entries as pm2 lists them now; it is asked again only if they are not as they should be */
  async ensure(entries: readonly Pm2Entry[]): Promise<void> {
    if (this.plan(entries).isSettled) return;
    const { locks, pm2, logger, layout, system } = this.deps;
    await locks.run(entryName, async () => {
      const { removed, isSettled, isThere } = this.plan(await pm2.list());
      if (isSettled) return;
      for (const { id } of removed) await this.replace(id);
      system.removePath(join(layout.requests, handOver));
      if (isThere) return;
      await pm2.start({
        name: entryName,
        generation: this.generation,
        priority: stoppedLast,
        command: this.command(),
        stopExitCodes: [],
        killTimeoutMs,
        restartDelayMs,
      });
      logger.info("the log daemon is started");
    });
  }

  /** When it has ended: nobody waits for an answer any more. */
  forgetRequests(): void {
    this.deps.system.removePath(this.deps.layout.requests);
  }

  private plan(entries: readonly Pm2Entry[]): {
    readonly removed: readonly Pm2Entry[];
    readonly isThere: boolean;
    readonly isSettled: boolean;
  } {
    const own = entries.filter((entry) => this.isOwn(entry));
    const kept = own.find(
      ({ generation, status }) =>
        generation === this.generation && ["online", "launching", "waiting restart"].includes(status),
    );
    const removed = own.filter((entry) => entry !== kept);
    const isThere = kept !== undefined;
    return { removed, isThere, isSettled: isThere && removed.length === 0 };
  }

  /** Apps run on meanwhile: it is not to wait for their end. */
  private async replace(id: number): Promise<void> {
    const { pm2, layout, system } = this.deps;
    system.writeFileAtomic(join(layout.requests, handOver), "", { mode: 0o600 });
    await pm2.remove(id, 2 * killTimeoutMs);
  }

  private command(): readonly [string, ...string[]] {
    const { layout, runDir, logDir, nodeFile, path, budgetBytes } = this.deps;
    const { syslogSocket = "/dev/log" } = this.deps;
    const words = [nodeFile, ...nodeFlags, layout.program, runDir, logDir, String(budgetBytes), syslogSocket];
    return ["/usr/bin/env", "-i", `PATH=${path}`, "MALLOC_ARENA_MAX=1", ...words];
  }
}
