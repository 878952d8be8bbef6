import { join } from "node:path";
import type { SupervisorConf } from "../supervisor-conf/index.ts";
import type { ProcessSettings, StreamLog } from "../supervisor-conf/program.ts";
import type { LogdLayout } from "./layout.ts";
import type { LogStream } from "./stream-file.ts";

/** Where the output of one process goes: for its launcher, for the log daemon, and for whoever wants to read it. */
export interface AppLogs {
  readonly stdout: AppLog;
  /** Undefined: where stdout goes. */
  readonly stderr: AppLog | undefined;
  readonly streams: readonly LogStream[];
}

export interface AppLog {
  /** Absolute; undefined where its output is dropped, or goes to syslog alone. */
  readonly file: string | undefined;
  /** What the launcher creates, so that a place that can't be written is found out at the start; may be "". */
  readonly created: string;
  /** What the app writes into; "": the file itself. */
  readonly fifo: string;
}

export interface AppLogsOptions {
  readonly conf: SupervisorConf;
  readonly process: ProcessSettings;
  /** Of its launcher, unique among all. */
  readonly unit: string;
  readonly appName: string;
  /** Absolute. */
  readonly logDir: string;
  readonly layout: LogdLayout;
}

export function appLogs(options: AppLogsOptions): AppLogs {
  const { conf, process } = options;
  const stdout = appLog("stdout", process.stdout, options);
  const stderr = conf.redirectStderr ? undefined : appLog("stderr", process.stderr, options);
  return {
    stdout: stdout.log,
    stderr: stderr?.log,
    streams: [stdout, stderr].flatMap((one) => (one?.stream === undefined ? [] : [one.stream])),
  };
}

function appLog(
  name: "stdout" | "stderr",
  { target, maxBytes, backups, syslog }: StreamLog,
  options: AppLogsOptions,
): { readonly log: AppLog; readonly stream?: LogStream } {
  const { process, unit, layout } = options;
  const file = logFile(name, target, options);
  const toSyslog = syslog || target.kind === "syslog";
  if (file === undefined && !toSyslog) return { log: { file, created: "/dev/null", fifo: "" } };
  const fileIsFallback = target.kind === "syslog";
  const fifo = join(layout.fifos, `${unit}.${name}`);
  return {
    log: { file, created: fileIsFallback ? "" : (file ?? ""), fifo },
    stream: {
      fifo,
      file: file ?? null,
      maxBytes,
      backups,
      syslog: toSyslog ? process.processName : null,
      fileIsFallback,
    },
  };
}

function logFile(
  name: "stdout" | "stderr",
  target: StreamLog["target"],
  { conf, process, appName, logDir }: AppLogsOptions,
): string | undefined {
  // Where there is no syslog to send it to, output meant for it is kept rather than dropped.
  if (target.kind === "auto" || target.kind === "syslog") {
    const own = conf.processes.length === 1 ? "" : `-${process.processName}`;
    return join(logDir, `${appName}${own}-${name}.log`);
  }
  if (target.kind === "none" || target.path === "/dev/null") return undefined;
  // Relative to where supervisord would have been started, which is nowhere in particular: the log directory.
  return target.path.startsWith("/") ? target.path : `${logDir}/${target.path}`;
}
