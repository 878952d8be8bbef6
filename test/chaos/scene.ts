import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ControlClient } from "../../src/cli/control-client.ts";
import { parseIdentity } from "../../src/supervisor/launcher/boot-process.ts";
import { EngineProcess, eventually } from "../support/engine-process.ts";
import { packageTarball } from "../support/package-tarball.ts";

/** An app that runs while it is wanted, in as many processes. */
interface ChaosApp {
  readonly name: string;
  /** Names of its processes (`numprocs`), where it has several. */
  readonly processes?: readonly string[];
  readonly conf: string;
  /** What it does once it has the lock that shows that there is one of it (8, for itself alone). */
  readonly body: string;
}

const apps: readonly ChaosApp[] = [
  { name: "plain", conf: "", body: "exec sleep 100000" },
  // Takes a moment to stop, as apps do that write their state.
  {
    name: "slow",
    conf: "stopwaitsecs=5",
    body: "trap 'sleep 0.3 8>&-; exit 0' TERM\nwhile :; do sleep 0.1 8>&-; done",
  },
  // Doesn't listen, and has to be killed.
  { name: "deaf", conf: "stopwaitsecs=1", body: "trap '' TERM\nwhile :; do sleep 0.1 8>&-; done" },
  {
    name: "pair",
    processes: ["pair_0", "pair_1"],
    conf: "numprocs=2\nprocess_name=%(program_name)s_%(process_num)d",
    body: "exec sleep 100000",
  },
  // Ends by itself, again and again.
  { name: "short", conf: "", body: "exec sleep 3" },
];

/** An engine with apps of which each knows when there are two of it. */
export class Scene implements AsyncDisposable {
  readonly engine: EngineProcess;
  readonly names = apps.map(({ name }) => name);
  /** What each process is called in the run directory. */
  readonly keys = apps.flatMap(({ name, processes }) =>
    processes === undefined ? [name] : processes.map((process) => `${name}:${process}`),
  );
  /** Apps that have been told to stop. */
  readonly stopped = new Set<string>();
  private readonly client: ControlClient;

  constructor() {
    this.engine = new EngineProcess({ serverUrl: "http://127.0.0.1:9", product: "chaos", serial: "1" });
    this.client = new ControlClient({ socketPath: this.engine.paths.controlSocket });
    mkdirSync(this.locks);
  }

  async start(): Promise<void> {
    this.engine.start();
    const files = await Promise.all(apps.map((app) => this.tarball(app)));
    await eventually("the engine", () => this.engine.status());
    const results = await this.client.install(files);
    const failed = results.find(({ status }) => status !== "installed");
    if (failed !== undefined) throw new Error(`${failed.name} is ${failed.status}: ${failed.output}`);
  }

  /** Records the wish first, as its user would; an engine that dies meanwhile may or may not have heard of it. */
  async want(name: string, wanted: "start" | "stop"): Promise<void> {
    await this.client.app(name, wanted);
    if (wanted === "stop") this.stopped.add(name);
    else this.stopped.delete(name);
  }

  /** The launcher of a process; undefined while there is none. */
  launcher(key: string): number | undefined {
    return this.noted(key, "launcher");
  }

  /** The app's own process. */
  child(key: string): number | undefined {
    return this.noted(key, "child");
  }

  logDaemon(): number | undefined {
    return this.engine.processes().find(({ command }) => command.includes("logd.mjs"))?.pid;
  }

  /** pids of each of the apps' processes: leaders of their process groups, under the process' name. */
  running(): ReadonlyMap<string, readonly number[]> {
    const found = new Map<string, number[]>(this.keys.map((key) => [key, []]));
    for (const pid of pids()) {
      const key = this.keyOf(pid);
      if (key !== undefined) found.get(key)?.push(pid);
    }
    return found;
  }

  /** What is not as it should be right now; undefined when all is. */
  complaint(): string | undefined {
    const overlaps = this.overlaps();
    if (overlaps !== "") return `two at once: ${overlaps}`;
    const pm2 = this.engine.pm2Pid();
    if (pm2 === undefined) return "pm2's daemon is away";
    if (processState(pm2) === "T") return "pm2's daemon hangs";
    const isStopped = (key: string): boolean => this.stopped.has(key.split(":", 1)[0] ?? "");
    const wrong = [...this.running()].filter(([key, { length }]) => length !== (isStopped(key) ? 0 : 1));
    const told = wrong.map(
      ([key, found]) => `${key} runs ${found.length} times, ${isStopped(key) ? "un" : ""}wanted`,
    );
    return told.length === 0 ? undefined : told.join("; ");
  }

  /** What apps said that found another of their own running. */
  overlaps(): string {
    return readText(join(this.locks, "overlaps"));
  }

  /** All there is to see, for whoever looks for the fault. */
  evidence(): string {
    const root = join(this.engine.paths.runDir, "apps");
    const files = readdirSync(root).flatMap((name) =>
      ["state", "launcher", "child"].map((file) => `${name}/${file}: ${readText(join(root, name, file))}`),
    );
    const processes = this.engine.processes().map(({ pid, command }) => `${pid} ${command}`);
    return [...processes, ...files, this.engine.output.split("\n").slice(-60).join("\n")].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }

  private get locks(): string {
    return join(this.engine.home, "locks");
  }

  private async tarball({ name, conf, body }: ChaosApp): Promise<string> {
    const script = `#!/bin/sh
name=$SUPERVISOR_PROCESS_NAME
exec 8>>${this.locks}/$name
flock -n 8 || echo "$name" >>${this.locks}/overlaps
${body}
`;
    const file = join(this.engine.home, `${name}.v1.tar.gz`);
    const tarball = await packageTarball({
      "install.sh": { content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
      "run.sh": { content: script, mode: 0o755 },
      // An end soon after the start is our doing here, and must not count as the app's failure.
      "supervisor.conf": {
        content: `[supervisord]\ncommand=./run.sh\nautorestart=true\nstartsecs=0\n${conf}\n`,
      },
    });
    writeFileSync(file, tarball);
    return file;
  }

  private noted(key: string, file: "launcher" | "child"): number | undefined {
    const text = readText(join(this.engine.paths.runDir, "apps", key, file));
    const pid = parseIdentity(text)?.pid;
    return pid !== undefined && isAlive(pid) ? pid : undefined;
  }

  private keyOf(pid: number): string | undefined {
    const environment = readText(`/proc/${pid}/environ`).split("\0");
    if (!environment.includes(`GWE_HOME=${this.engine.home}`)) return undefined;
    const variable = (name: string): string | undefined =>
      environment.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const [group, process] = [variable("SUPERVISOR_GROUP_NAME"), variable("SUPERVISOR_PROCESS_NAME")];
    if (process === undefined || !isGroupLeader(pid)) return undefined;
    return group === process ? process : `${group}:${process}`;
  }
}

function pids(): readonly number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

function isGroupLeader(pid: number): boolean {
  const [state = "", , group] = statFields(pid);
  return !"ZX".includes(state) && Number(group) === pid;
}

function processState(pid: number): string | undefined {
  return statFields(pid)[0];
}

/** Of /proc/<pid>/stat, from the state on. */
function statFields(pid: number): readonly string[] {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function isAlive(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}

/** Empty for what is not there (any more). */
function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
