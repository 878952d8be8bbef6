import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessStatus } from "../../src/core/app-status.ts";
import { type Supervisor, SupervisorConfError } from "../../src/supervisor/index.ts";
import type { Gateway } from "../integration/supervisor/harness.ts";
import type { Case, StateNote } from "./case.ts";
import { filesIn, monotonic, type Run, type Side } from "./side.ts";

/** The engine's supervision, with its launchers under a real pm2: one for all cases. */
export class OwnSupervisor implements Side {
  private readonly gateway: Gateway;
  private readonly supervisor: Supervisor;

  constructor(gateway: Gateway, supervisor: Supervisor) {
    this.gateway = gateway;
    this.supervisor = supervisor;
  }

  async open(one: Case): Promise<Run | undefined> {
    const { gateway, supervisor } = this;
    const directory = gateway.path("apps", `${one.name}.v1`);
    const logDirectory = join(directory, "log");
    rmSync(directory, { recursive: true, force: true });
    rmSync(gateway.path("log", `${one.name}.log`), { force: true });
    mkdirSync(logDirectory, { recursive: true });
    chmodSync(directory, 0o777);
    const probe = `${join(import.meta.dirname, "probe.py")} ${directory}`;
    const conf = one.conf.replaceAll("<probe>", probe).replaceAll("<log>", logDirectory);
    writeFileSync(join(directory, "supervisor.conf"), `[program:${one.name}]\n${conf}\n`);
    const app = { name: one.name, version: "1", kind: "long-running" as const, directory };
    const run = new OwnRun(supervisor, one.name, directory, gateway.path("log"));
    try {
      await supervisor.deploy(app);
    } catch (error) {
      if (error instanceof SupervisorConfError) return undefined;
      throw error;
    }
    return run;
  }
}

class OwnRun implements Run {
  readonly directory: string;
  private readonly logDirectory: string;
  private readonly defaultLogDirectory: string;
  private readonly supervisor: Supervisor;
  private readonly name: string;
  private readonly noted = new Map<string, StateNote[]>();
  private readonly stopListening: () => void;

  constructor(supervisor: Supervisor, name: string, directory: string, defaultLogDirectory: string) {
    this.supervisor = supervisor;
    this.name = name;
    this.directory = directory;
    this.logDirectory = join(directory, "log");
    this.defaultLogDirectory = defaultLogDirectory;
    this.stopListening = supervisor.onChange((status) => {
      if (status.name === name) for (const one of status.processes ?? [status]) this.note(one);
    });
  }

  logFiles(): readonly string[] {
    const isOwn = new RegExp(`/${this.name}(-stdout|-stderr)?\\.log(\\.\\d+)?$`);
    const defaults = filesIn(this.defaultLogDirectory).filter((file) => isOwn.test(file));
    return [...filesIn(this.logDirectory), ...defaults];
  }

  start(): Promise<void> {
    return this.supervisor.startApp(this.name);
  }

  stop(): Promise<void> {
    return this.supervisor.stopApp(this.name);
  }

  async states(): Promise<readonly string[]> {
    return (await this.processes()).map(({ state }) => state);
  }

  async observe(): ReturnType<Run["observe"]> {
    const processes = await this.processes();
    const last = processes.findLast(
      ({ signal, exitStatus }) => signal !== undefined || exitStatus !== undefined,
    );
    const { exitStatus, signal } = last ?? {};
    return {
      states: this.noted,
      end: signal ?? (exitStatus === undefined ? "" : `exit status ${exitStatus}`),
      own: [
        [this.logDirectory, "<log>"],
        [this.defaultLogDirectory, "<log>"],
        [this.directory, "<here>"],
      ],
    };
  }

  async dispose(): Promise<void> {
    this.stopListening();
    await this.supervisor.withdraw(this.name);
  }

  private async processes(): Promise<readonly ProcessStatus[]> {
    const status = (await this.supervisor.statuses()).find(({ name }) => name === this.name);
    return status === undefined ? [] : (status.processes ?? [status]);
  }

  private note({ name, state }: ProcessStatus): void {
    const notes = this.noted.get(name) ?? [];
    // supervisord notes what changes: not what a process is that was never started.
    if (notes.length === 0 && state === "STOPPED") return;
    if (notes.at(-1)?.state !== state) notes.push({ t: monotonic(), state });
    this.noted.set(name, notes);
  }
}
