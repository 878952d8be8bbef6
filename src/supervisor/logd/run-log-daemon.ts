import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { bootId, processStartTicks } from "../../platform/process-table.ts";
import { openSyslogPipe } from "../../platform/syslog-pipe.ts";
import { logdLayout } from "./layout.ts";
import { LogDaemon, type LogDaemonDependencies } from "./log-daemon.ts";
import { Syslog } from "./syslog.ts";
import { isAlive, takeOver } from "./take-over.ts";

const lastLauncherPollMs = 50;

/** Where a test looks in. */
export type LogDaemonHooks = Pick<LogDaemonDependencies, "beforeDrop">;

/**
 * The log daemon as a process, with arguments RUN_DIR LOG_DIR BUDGET_BYTES SYSLOG_SOCKET.
 *
 * SIGTERM: it writes what is in the FIFOs and ends. SIGINT (pm2's way of stopping it), or pm2's end: it goes on until
 * the last launcher has ended, so that apps which are being stopped too can say so.
 */
export async function runLogDaemon(argv: readonly string[], hooks: LogDaemonHooks = {}): Promise<void> {
  const [runDir, logDir, budget, syslogSocket] = argv;
  const isWhole = runDir !== undefined && logDir !== undefined && syslogSocket !== undefined;
  if (!isWhole || !/^\d+$/.test(budget ?? "")) {
    process.exitCode = 2;
    return;
  }
  process.umask(0o022);
  const layout = logdLayout(runDir);
  const processes = { bootId: bootId(), startTicks: processStartTicks };
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await daemon.stop();
    process.exit();
  };
  const daemon = new LogDaemon({
    layout,
    budgetBytes: Number(budget),
    ownLog: join(logDir, "gwe-logd.log"),
    syslog: new Syslog({
      isThere: () => existsSync(syslogSocket),
      open: () => openSyslogPipe(syslogSocket, "gwe"),
      monotonic: () => performance.now(),
    }),
    now: Date.now,
    onHandOver: () => void end(),
    ...hooks,
  });
  process.on("uncaughtException", (error) => {
    daemon.complain(`fails: ${error.stack ?? describeError(error)}`);
    // pm2 starts the next one, which goes on where this one ends.
    process.exit(1);
  });
  let lingering = false;
  const linger = (): void => {
    if (lingering) return;
    lingering = true;
    const timer = setInterval(() => {
      if (daemon.launcherFiles().some((file) => isAlive(file, processes))) return;
      clearInterval(timer);
      void end();
    }, lastLauncherPollMs);
  };
  process.on("SIGTERM", () => void end()).on("SIGINT", linger);
  process.stdin.on("end", linger).on("error", linger).resume();
  await takeOver(layout.identity, processes);
  if (!ending) daemon.start();
}
