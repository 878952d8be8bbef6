import { SupervisorConfError } from "../errors.ts";
import { parseEnvironment } from "./environment.ts";
import type { Expansions } from "./expansions.ts";
import { readGweSection } from "./gwe-section.ts";
import { type IniSection, readIni } from "./ini-reader.ts";
import { OptionReader } from "./option-reader.ts";
import type { ProcessSettings, StreamLog, SupervisorConf } from "./program.ts";
import {
  autorestart,
  boolean,
  byteSize,
  commandWords,
  count,
  exitCodes,
  integer,
  logTarget,
  octal,
  processName,
  signalName,
  ValueError,
} from "./values.ts";
import { collectWarnings } from "./warnings.ts";

export interface ConfSource {
  readonly text: string;
  /** The app, which names the program, its process and its log. */
  readonly appName: string;
  /** Where the file lies: `%(here)s`, and the working directory when the file names none. Absolute. */
  readonly here: string;
  /** Directory of the default log files. Absolute. */
  readonly logDir: string;
  readonly hostName: string;
  /** What `%(ENV_X)s` sees. */
  readonly environment: Readonly<Record<string, string>>;
}

const maxProcesses = 1000;

/**
 * Understands a package's `supervisor.conf`: one program, in section `[supervisord]` or `[program:<APP_NAME>]`, with
 * supervisord's meaning and the engine's defaults (spec: custom-gateway-applications.md).
 *
 * @throws SupervisorConfError naming option, value and line
 */
export function parseSupervisorConf(source: ConfSource): SupervisorConf {
  const sections = readIni(source.text);
  const section = programSection(sections, source.appName);
  const options = new OptionReader(section);
  const common: Expansions = {
    ...environmentExpansions(source.environment),
    here: source.here,
    program_name: source.appName,
    group_name: source.appName,
    host_node_name: source.hostName,
  };
  const numprocs = options.get("numprocs", "1", common, integer);
  if (numprocs < 1 || numprocs > maxProcesses) options.fail("numprocs", `expected 1 to ${maxProcesses}`);
  const first = options.get("numprocs_start", "0", common, integer);
  const nameTemplate = options.raw("process_name", "%(program_name)s");
  if (numprocs > 1 && !nameTemplate.includes("%(process_num)")) {
    options.fail("process_name", "%(process_num) must be in process_name when numprocs is above 1");
  }
  const redirectStderr = options.get("redirect_stderr", "true", common, boolean);
  const stopAsGroup = options.get("stopasgroup", "false", common, boolean);
  const killAsGroup = options.get("killasgroup", String(stopAsGroup), common, boolean);
  if (stopAsGroup && !killAsGroup) options.fail("killasgroup", "false contradicts stopasgroup=true");
  const process = (index: number): ProcessSettings =>
    readProcess(options, source, { ...common, process_num: first + index, numprocs }, redirectStderr);
  const conf = {
    programName: source.appName,
    groupName: source.appName,
    priority: options.get("priority", "999", common, integer),
    autostart: options.get("autostart", "true", common, boolean),
    autorestart: options.get("autorestart", "unexpected", common, autorestart),
    exitCodes: options.get("exitcodes", "0", common, exitCodes),
    startSecs: options.get("startsecs", "1", common, count),
    startRetries: options.get("startretries", "3", common, count),
    stopSignal: options.get("stopsignal", "TERM", common, signalName),
    stopWaitSecs: options.get("stopwaitsecs", "10", common, count),
    stopAsGroup,
    killAsGroup,
    umask: options.get("umask", "022", common, octal),
    user: options.optional("user", common, userName),
    redirectStderr,
    serverUrl: options.optional("serverurl", common, serverUrl),
    gwe: readGweSection(sections.get("gwe"), common),
    processes: [
      process(0),
      ...Array.from({ length: numprocs - 1 }, (_, index) => process(index + 1)),
    ] as const,
  };
  return { ...conf, warnings: collectWarnings(sections, section, options, common, conf) };
}

function programSection(sections: ReadonlyMap<string, IniSection>, appName: string): IniSection {
  const named = sections.get(`program:${appName}`);
  const anonymous = sections.get("supervisord");
  if (named !== undefined && anonymous !== undefined) {
    throw new SupervisorConfError(
      `supervisor.conf line ${named.line}: [${named.name}] and [supervisord] both describe the app; keep one`,
      { context: { section: named.name, line: named.line } },
    );
  }
  const other = [...sections.values()].find(
    ({ name }) => name.startsWith("program:") && name !== `program:${appName}`,
  );
  if (other !== undefined) {
    // Running it under a name that is not the app's would leave it out of reports, updates and removal.
    throw new SupervisorConfError(
      `supervisor.conf line ${other.line}: [${other.name}]: a package holds one program, named after the app: [program:${appName}] or [supervisord]`,
      { context: { section: other.name, line: other.line } },
    );
  }
  const section = named ?? anonymous;
  if (section === undefined) {
    throw new SupervisorConfError(
      `supervisor.conf has no section [supervisord] (nor [program:${appName}]), so nothing says what to run`,
      { context: { line: 1 } },
    );
  }
  return section;
}

function environmentExpansions(environment: Readonly<Record<string, string>>): Expansions {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [`ENV_${name}`, value]));
}

function readProcess(
  options: OptionReader,
  source: ConfSource,
  expansions: Expansions,
  redirectStderr: boolean,
): ProcessSettings {
  const environment = options.get("environment", "", expansions, parseEnvironment);
  // The program's own variables can be named in its other options, as under supervisord.
  const all = { ...expansions, ...environmentExpansions(environment) };
  const stderr = readStream(options, "stderr", "AUTO", all);
  return {
    processName: options.get("process_name", "%(program_name)s", all, processName),
    processNum: Number(expansions.process_num),
    command: options.get("command", "command", all, commandWords),
    directory: options.get("directory", source.here.replaceAll("%", "%%"), all, (text) => text),
    environment,
    stdout: readStream(
      options,
      "stdout",
      `${source.logDir}/${source.appName}.log`.replaceAll("%", "%%"),
      all,
    ),
    stderr: redirectStderr ? { ...stderr, target: { kind: "none" }, syslog: false } : stderr,
  };
}

function readStream(
  options: OptionReader,
  stream: "stdout" | "stderr",
  defaultFile: string,
  expansions: Expansions,
): StreamLog {
  // The engine's own defaults are for stdout, the only stream of an app that leaves redirect_stderr alone.
  const [maxBytes, backups] = stream === "stdout" ? ["200KB", "1"] : ["50MB", "10"];
  return {
    target: options.get(`${stream}_logfile`, defaultFile, expansions, logTarget),
    maxBytes: options.get(`${stream}_logfile_maxbytes`, maxBytes, expansions, byteSize),
    backups: options.get(`${stream}_logfile_backups`, backups, expansions, count),
    syslog: options.get(`${stream}_syslog`, "false", expansions, boolean),
  };
}

/** `AUTO` is that of supervisord's own server, which there isn't. */
function serverUrl(text: string): string | undefined {
  return text === "" || text.trim().toUpperCase() === "AUTO" ? undefined : text;
}

function userName(text: string): string {
  const name = text.trim();
  if (!/^[^\s:\0]+$/.test(name)) throw new ValueError("expected a user name or id");
  return name;
}
