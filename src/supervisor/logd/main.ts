/**
 * The log daemon, a program of its own that pm2 runs: it does its own file writes, and holds as little of Node as it
 * can. usage: logd.mjs RUN_DIR LOG_DIR BUDGET_BYTES SYSLOG_SOCKET
 *
 * SIGTERM: it writes what is in the FIFOs and ends. SIGINT (pm2's way of stopping it), or pm2's end: it goes on until
 * the last launcher has ended, so that apps which are being stopped too can say so.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../core/errors.ts";
import { bootId, processStartTicks } from "../../platform/process-table.ts";
import { openSyslogPipe } from "../../platform/syslog-pipe.ts";
import { logdLayout } from "./layout.ts";
import { LogDaemon } from "./log-daemon.ts";
import { Syslog } from "./syslog.ts";
import { isAlive, takeOver } from "./take-over.ts";

const lastLauncherPollMs = 50;

async function run([runDir, logDir, budget, syslogSocket]: readonly string[]): Promise<void> {
  if (
    runDir === undefined ||
    logDir === undefined ||
    syslogSocket === undefined ||
    !/^\d+$/.test(budget ?? "")
  ) {
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
  });
  process.on("uncaughtException", (error) => {
    daemon.complain(`fails: ${error.stack ?? describeError(error)}`);
    // pm2 starts the next one, which goes on where this one ends.
    process.exit(1);
  });
  process.on("SIGTERM", () => void end());
  await takeOver(layout.identity, processes);
  daemon.start();
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
  process.on("SIGINT", linger);
  process.stdin.on("end", linger).on("error", linger).resume();
}

await run(process.argv.slice(2));
