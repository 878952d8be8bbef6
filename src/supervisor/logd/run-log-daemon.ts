import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { bootId, processStartTicks } from "../../platform/process-table.ts";
import type { ProcessImage } from "../../platform/replace-process.ts";
import { spawnDetached } from "../../platform/spawn-detached.ts";
import { openSyslogPipe } from "../../platform/syslog-pipe.ts";
import { logdLayout } from "./layout.ts";
import { LogDaemon, type LogDaemonDependencies } from "./log-daemon.ts";
import { Syslog } from "./syslog.ts";
import { isAlive, takeOver } from "./take-over.ts";

const lastWriterPollMs = 50;

/** Where a test looks in. */
export type LogDaemonHooks = Pick<LogDaemonDependencies, "beforeDrop">;

/**
 * The log daemon as a process, with arguments RUN_DIR LOG_DIR BUDGET_BYTES SYSLOG_SOCKET.
 *
 * SIGTERM: it writes what is in the FIFOs and ends. Its stdin ends (pm2 has): it goes on until the last launcher and
 * the last app have ended, so that apps which are being stopped too can say so. SIGINT (pm2 stops it): a pm2 that ends in order waits for
 * each of its processes before it stops the next, and this is the first. So it leaves another behind, without stdin.
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
      onDropping: () =>
        daemon.complain("syslog does not take lines (through the command logger): they are dropped"),
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
      if (daemon.writerFiles().some((file) => isAlive(file, processes))) return;
      clearInterval(timer);
      void end();
    }, lastWriterPollMs);
  };
  const leaveOne = (): void => {
    const isNeeded = daemon.writerFiles().some((file) => isAlive(file, processes));
    if (ending || lingering) return;
    if (!isNeeded || daemon.isHandedOver) return void end();
    try {
      spawnDetached({ ...lastOne(argv), logFile: "/dev/null" });
      void end();
    } catch (error) {
      daemon.complain(`no other could be left behind: ${describeError(error)}`);
      linger();
    }
  };
  process.on("SIGTERM", () => void end()).on("SIGINT", leaveOne);
  process.stdin.on("end", linger).on("error", linger).resume();
  await takeOver(layout.identity, processes);
  if (!ending) daemon.start();
}

/** The same program once more, which is nobody's. */
function lastOne(argv: readonly string[]): ProcessImage {
  const [, program = ""] = process.argv;
  const args = [...process.execArgv, program, ...argv];
  return { command: process.execPath, args, cwd: "/", env: { PATH: process.env.PATH ?? "" } };
}
