import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { Case, StateNote } from "./case.ts";
import { filesIn, type Run, type Side, within } from "./side.ts";

const listener = join(import.meta.dirname, "state-listener.py");

/** What the engine has another default for, unless the file says something (spec: custom-gateway-applications.md). */
function engineDefaults(name: string, logDirectory: string): Readonly<Record<string, string>> {
  return {
    command: "command",
    stdout_logfile: `${logDirectory}/${name}.log`,
    redirect_stderr: "true",
    stdout_logfile_maxbytes: "200KB",
    stdout_logfile_backups: "1",
  };
}

/** Debian's supervisord, one for each case. */
export class RealSupervisord implements Side {
  private readonly root: string;
  private readonly environment: Readonly<Record<string, string>>;

  constructor(root: string, environment: Readonly<Record<string, string>>) {
    this.root = root;
    this.environment = environment;
  }

  async open(one: Case): Promise<Run | undefined> {
    const directory = join(this.root, one.name);
    const logDirectory = join(directory, "log");
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(logDirectory, { recursive: true });
    chmodSync(directory, 0o777);
    const run = await this.launch(directory, logDirectory, one.name);
    // Added now, and not from the beginning: from here on, changes of state are noted when they happen.
    writeFileSync(join(directory, "program.conf"), programSection(one, directory, logDirectory));
    if (await run.add()) return run;
    await run.dispose();
    return undefined;
  }

  private async launch(directory: string, logDirectory: string, name: string): Promise<RealRun> {
    const socket = join(directory, "s");
    const file = join(directory, "supervisord.conf");
    writeFileSync(
      file,
      `[supervisord]
nodaemon=true
user=root
logfile=${directory}/supervisord.out
pidfile=${directory}/supervisord.pid
childlogdir=${logDirectory}
[unix_http_server]
file=${socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[eventlistener:states]
command=/usr/bin/python3 -S -E ${listener} ${directory}/states
events=PROCESS_STATE
stdout_logfile=NONE
stderr_logfile=NONE
[include]
files=${directory}/program.conf
`,
    );
    const output = openSync(join(directory, "supervisord.err"), "w");
    const child = spawn("/usr/bin/supervisord", ["-n", "-c", file], {
      // Where the engine runs programs that name no directory.
      cwd: directory,
      env: this.environment,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    const isUp = await within(async () => existsSync(socket) && existsSync(join(directory, "states")));
    if (!isUp)
      throw new TypeError(
        `supervisord does not come up: ${readFileSync(join(directory, "supervisord.err"), "utf8")}`,
      );
    return new RealRun({ child, socket, name, directory, logDirectory });
  }
}

function programSection(one: Case, directory: string, logDirectory: string): string {
  const defaults = Object.entries(engineDefaults(one.name, logDirectory))
    .filter(([option]) => !new RegExp(`^${option}\\s*[=:]`, "m").test(one.conf))
    .map(([option, value]) => `${option}=${value}`);
  const probe = `${join(import.meta.dirname, "probe.py")} ${directory}`;
  const conf = one.conf.replaceAll("<probe>", probe).replaceAll("<log>", logDirectory);
  return `[program:${one.name}]\n${[...defaults, conf].join("\n")}\n`;
}

interface Parts {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly name: string;
  readonly directory: string;
  readonly logDirectory: string;
}

interface ProcessInfo {
  readonly name: string;
  readonly state: string;
  readonly wasStarted: boolean;
}

class RealRun implements Run {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  get directory(): string {
    return this.parts.directory;
  }

  logFiles(): readonly string[] {
    return filesIn(this.parts.logDirectory);
  }

  /** @returns whether its configuration is accepted */
  async add(): Promise<boolean> {
    if ((await this.rpc("reloadConfig", "")).includes("<fault>")) return false;
    const name = `<param><value><string>${this.parts.name}</string></value></param>`;
    return !(await this.rpc("addProcessGroup", name)).includes("<fault>");
  }

  async start(): Promise<void> {
    await this.call("startProcessGroup");
  }

  async stop(): Promise<void> {
    await this.call("stopProcessGroup");
  }

  async states(): Promise<readonly string[]> {
    return (await this.processes()).map(({ state }) => state);
  }

  private async processes(): Promise<readonly ProcessInfo[]> {
    const text = await this.rpc("getAllProcessInfo", "");
    return text
      .split("<struct>")
      .slice(1)
      .filter((part) => member(part, "group") === this.parts.name)
      .map((part) => ({
        name: member(part, "name"),
        state: member(part, "statename"),
        wasStarted: member(part, "start") !== "0",
      }));
  }

  /** What the listener has noted so far, by process. A line is whole or not there yet. */
  private notedStates(): Map<string, StateNote[]> {
    const states = new Map<string, StateNote[]>();
    const text = readFileSync(join(this.parts.directory, "states"), "utf8");
    for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
      if (line === "") continue;
      const { name: process, ...note } = JSON.parse(line) as StateNote & { name: string };
      states.set(process, [...(states.get(process) ?? []), note]);
    }
    return states;
  }

  private isAllNoted(processes: readonly ProcessInfo[]): boolean {
    const noted = this.notedStates();
    const starts = [...noted.values()].flat().filter(({ state }) => state === "STARTING").length;
    // The same state may have come before.
    if (starts < [...this.supervisordLog().matchAll(/ spawned: (?!'states')/g)].length) return false;
    return processes.every(({ name, state, wasStarted }) => {
      const last = noted.get(name)?.at(-1)?.state;
      // Of one that was never started, nothing is told.
      return last === undefined ? !wasStarted : last === state;
    });
  }

  private supervisordLog(): string {
    return readFileSync(join(this.parts.directory, "supervisord.out"), "utf8");
  }

  async observe(): ReturnType<Run["observe"]> {
    const { directory, logDirectory } = this.parts;
    // supervisord tells its listener once a second, later than it answers.
    await within(async () => this.isAllNoted(await this.processes()));
    const states = this.notedStates();
    const ends = [
      ...this.supervisordLog().matchAll(
        /(?:exited|stopped): (?!states )\S+ \((?:terminated by (SIG\w+)|(exit status \d+))/g,
      ),
    ];
    const [, signal, status] = ends.at(-1) ?? [];
    return {
      states,
      end: signal ?? status ?? "",
      own: [
        [logDirectory, "<log>"],
        [directory, "<here>"],
      ],
    };
  }

  async dispose(): Promise<void> {
    const { child } = this.parts;
    if (child.exitCode !== null) return;
    await this.call("stopProcessGroup");
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }

  private call(method: string): Promise<string> {
    const params = `<param><value><string>${this.parts.name}</string></value></param><param><value><boolean>0</boolean></value></param>`;
    return this.rpc(method, params);
  }

  private rpc(method: string, params: string): Promise<string> {
    const body = `<?xml version="1.0"?><methodCall><methodName>supervisor.${method}</methodName><params>${params}</params></methodCall>`;
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.parts.socket,
          path: "/RPC2",
          method: "POST",
          agent: false,
          headers: { "content-type": "text/xml", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => {
            text += part;
          });
          response.on("end", () => resolve(text));
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  }
}

function member(struct: string, name: string): string {
  return new RegExp(`<name>${name}</name>\\s*<value>(?:<\\w+>)?([^<]*)<`).exec(struct)?.[1] ?? "";
}
