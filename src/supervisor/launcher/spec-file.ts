import type { AppLogs } from "../logd/app-logs.ts";
import type { ProcessSettings, SupervisorConf } from "../supervisor-conf/index.ts";

/** What a launcher needs to know, beyond the app's `supervisor.conf`. */
export interface LaunchSpec {
  /** Distinguishes this start, asked for by somebody, from the ones before. */
  readonly generation: number;
  readonly conf: SupervisorConf;
  /** The one of `conf` to start. */
  readonly process: ProcessSettings;
  /** What the app inherits; the file's own variables come on top. */
  readonly baseEnvironment: Readonly<Record<string, string>>;
  readonly logs: AppLogs;
  /** Where the log daemon is asked to look (logd/layout.ts). */
  readonly logRequests: string;
  /** Node, for systems whose tools can't undo an ignored signal. */
  readonly nodeFile: string;
}

/** Variables that belong to the engine, to pm2, to Node's tools or to the service manager, and not to an app. */
const internalVariable =
  /^(?:GWE_(?!HOME$).*|PM2_.*|NODE_.*|npm_.*|VITEST.*|NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_(?:PID|FDS|FDNAMES)|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MAINPID|CREDENTIALS_DIRECTORY|MEMORY_PRESSURE_(?:WATCH|WRITE)|(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION)_DIRECTORY|_)$/;

/** Names a shell can't export, or gives a meaning of its own, and the launcher's. */
const shellsOwnName = /^(?:gwe_.*|OPTIND|OPTARG|LINENO|PPID|UID|EUID|GROUPS|IFS|PS[0-9]|BASH.*|SHELLOPTS|_)$/;

/** Becomes the command, with no signal ignored but the two that supervisord's children ignore too. */
const execveScript = `
const { accessSync } = require("node:fs");
const words = process.argv.slice(1);
const places = words[0].includes("/") ? [""] : (process.env.PATH || "").split(":").map((place) => place + "/");
for (const place of places) {
  try { accessSync(place + words[0], 1); } catch { continue; }
  process.execve(place + words[0], words, process.env);
}
process.exit(127);`;

/** The app's whole environment, as supervisord would give it. */
export function appEnvironment(spec: LaunchSpec): Readonly<Record<string, string>> {
  const { process } = spec;
  const inherited = Object.entries(spec.baseEnvironment).filter(([name]) => !internalVariable.test(name));
  return {
    ...Object.fromEntries(inherited),
    SUPERVISOR_ENABLED: "1",
    ...(spec.conf.serverUrl !== undefined && { SUPERVISOR_SERVER_URL: spec.conf.serverUrl }),
    SUPERVISOR_PROCESS_NAME: process.processName,
    SUPERVISOR_GROUP_NAME: spec.conf.groupName,
    ...process.environment,
  };
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The file `spec` that a launcher sources: settings, and a function that sets the app's environment and runs its
 * command. Holds the app's secrets: mode 0600.
 */
export function renderLaunchSpec(spec: LaunchSpec): string {
  const { conf, process } = spec;
  const settings: Readonly<Record<string, string | number>> = {
    generation: spec.generation,
    startsecs: conf.startSecs,
    startretries: conf.startRetries,
    autorestart: conf.autorestart,
    exitcodes: conf.exitCodes.join(" "),
    stopsignal: conf.stopSignal,
    stopwaitsecs: conf.stopWaitSecs,
    stopasgroup: conf.stopAsGroup ? 1 : "",
    killasgroup: conf.killAsGroup ? 1 : "",
    umask: conf.umask.toString(8).padStart(3, "0"),
    user: conf.user ?? "",
    directory: process.directory,
    stdout: spec.logs.stdout.created,
    stdout_fifo: spec.logs.stdout.fifo,
    stderr: spec.logs.stderr?.created ?? "redirect",
    stderr_fifo: spec.logs.stderr?.fifo ?? "",
    log_requests: spec.logRequests,
    healthtimeout: conf.gwe.health_timeout + 5,
    node: spec.nodeFile,
    execve: execveScript,
  };
  const environment = Object.entries(appEnvironment(spec)).filter(([name]) => name !== "");
  const exportable = environment.filter(([name]) => isExportable(name));
  const odd = environment.filter(([name]) => !isExportable(name));
  return [
    ...Object.entries(settings).map(([name, value]) => `gwe_${name}=${shellQuote(String(value))}`),
    "gwe_environment() {",
    ":",
    ...exportable.map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    "}",
    ...runFunction("gwe_exec", odd, process.command),
    ...runFunction("gwe_probe", odd, conf.gwe.health_command ?? ["false"]),
    "",
  ].join("\n");
}

function isExportable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !shellsOwnName.test(name);
}

/** A function of the spec that runs a command under the app's environment. */
function runFunction(
  name: string,
  odd: readonly (readonly [string, string])[],
  command: readonly string[],
): readonly string[] {
  return [
    `${name}() {`,
    "gwe_environment",
    `exec_app ${runWith(odd, command).map(shellQuote).join(" ")}`,
    "}",
  ];
}

/** `env` sets what the shell can't; a command that looks like a variable is then kept apart from them. */
function runWith(
  variables: readonly (readonly [string, string])[],
  command: readonly string[],
): readonly string[] {
  if (variables.length === 0) return command;
  const plain = command[0]?.includes("=") ? ["/bin/sh", "-c", 'exec "$@"', "sh", ...command] : command;
  return ["/usr/bin/env", "--", ...variables.map(([name, value]) => `${name}=${value}`), ...plain];
}
