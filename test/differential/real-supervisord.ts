import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { Case, StateNote } from "./case.ts";
import { type Run, type Side, within } from "./side.ts";

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
    mkdirSync(logDirectory, { recursive: true });
    chmodSync(directory, 0o777);
    return this.launch(directory, logDirectory, programSection(one, directory, logDirectory), one.name);
  }

  private async launch(
    directory: string,
    logDirectory: string,
    programs: string,
    name: string,
  ): Promise<Run | undefined> {
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
priority=-1
stdout_logfile=NONE
stderr_logfile=NONE
${programs}`,
    );
    const output = openSync(join(directory, "supervisord.err"), "w");
    const child = spawn("/usr/bin/supervisord", ["-n", "-c", file], {
      cwd: directory,
      env: this.environment,
      stdio: ["ignore", output, output],
    });
    const run = new RealRun({ child, socket, name, directory, logDirectory });
    const isUp = await within(async () => existsSync(socket) || child.exitCode !== null);
    if (child.exitCode !== null) return undefined;
    if (!isUp)
      throw new TypeError(
        `supervisord does not come up: ${readFileSync(join(directory, "supervisord.err"), "utf8")}`,
      );
    return run;
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

class RealRun implements Run {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  get directory(): string {
    return this.parts.directory;
  }

  get logDirectory(): string {
    return this.parts.logDirectory;
  }

  async start(): Promise<void> {
    await this.call("startProcessGroup");
  }

  async stop(): Promise<void> {
    await this.call("stopProcessGroup");
  }

  async states(): Promise<readonly string[]> {
    const text = await this.rpc("getAllProcessInfo", "");
    return text
      .split("<struct>")
      .slice(1)
      .filter((part) => member(part, "group") === this.parts.name)
      .map((part) => member(part, "statename"));
  }

  async observe(): ReturnType<Run["observe"]> {
    const { directory, logDirectory, name } = this.parts;
    const states = new Map<string, StateNote[]>();
    const file = join(directory, "states");
    for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []) {
      const { name: process, ...note } = JSON.parse(line) as StateNote & { name: string };
      states.set(process, [...(states.get(process) ?? []), note]);
    }
    const ends = [
      ...readFileSync(join(directory, "supervisord.out"), "utf8").matchAll(
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
        [`${name}-stdout---supervisor-`, `${name}-stdout-`],
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
