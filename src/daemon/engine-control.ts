import { type Config, engineVersion, type Paths } from "../config/index.ts";
import type { AppStatus } from "../core/app-status.ts";
import type { EngineStatus, InstallResult, JobRecord } from "../core/control-api.ts";
import { InvariantError } from "../core/errors.ts";
import type { SupervisedProcess } from "../core/process-api.ts";
import { NotSupervisedError, UnknownAppError } from "../supervisor/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";
import type { Cloud } from "./cloud.ts";
import { ControlRequestError } from "./control-error.ts";
import type { AppChange, ControlTarget } from "./control-server.ts";
import { EngineProcesses } from "./engine-processes.ts";
import type { Hosting } from "./hosting.ts";

export interface EngineControlOptions {
  readonly paths: Paths;
  readonly config: Config;
  readonly hosting: Hosting;
  /** Undefined for an engine that only installs, and need not know its product. */
  readonly cloud: Cloud | undefined;
  readonly keeper: ClockKeeper;
  /** Milliseconds; undefined while the queue does not serve apps. */
  readonly queueUptimeMs: () => number | undefined;
}

/** How long `gwe start` waits to tell whether the app stays up. */
const settleMs = 10_000;

/** Answers the control socket out of the running parts. */
export class EngineControl implements ControlTarget {
  readonly processes: EngineProcesses;
  private readonly options: EngineControlOptions;

  constructor(options: EngineControlOptions) {
    this.options = options;
    this.processes = new EngineProcesses({
      control: options.hosting.supervisor.control,
      parts: () => engineParts(options),
    });
  }

  async status(): Promise<EngineStatus> {
    const { paths, config, hosting, cloud, keeper } = this.options;
    const { device, engine } = config;
    const { trustedBy, wallErrorMs } = keeper.status();
    return {
      engine: {
        version: engineVersion,
        pid: process.pid,
        startedAtMs: Math.round(keeper.clock.now() - process.uptime() * 1000),
        home: paths.home,
      },
      device: {
        vendor: device.vendor ?? "",
        model: device.model ?? "",
        serial: cloud?.serial.current() ?? device.serial ?? "",
        server: device.serverUrl ?? "",
        activated: cloud?.credentials.areReady() ?? false,
      },
      checkIn: {
        mode: engine.checkIn,
        ...(cloud?.loop.status() ?? {
          intervalS: engine.updateIntervalS,
          lastSuccessAtMs: null,
          nextAtMs: null,
          lastError: null,
        }),
      },
      clock: {
        nowMs: keeper.clock.now(),
        trustedBy: trustedBy ?? null,
        wallErrorMs: wallErrorMs ?? null,
      },
      outbox: { waiting: hosting.outbox.waitingResults() },
      jobs: hosting.ota.jobs(),
      apps: await hosting.supervisor.statuses(),
    };
  }

  async changeApp(name: string, change: AppChange): Promise<AppStatus> {
    const { supervisor } = this.options.hosting;
    try {
      if (change === "start") await supervisor.startApp(name);
      else if (change === "stop") await supervisor.stopApp(name);
      else await supervisor.restartApp(name);
      return await supervisor.settled(name, settleMs);
    } catch (error) {
      if (error instanceof UnknownAppError) throw new ControlRequestError(404, error.code, error.message);
      if (error instanceof NotSupervisedError) throw new ControlRequestError(409, error.code, error.message);
      throw error;
    }
  }

  checkInNow(): void {
    this.options.cloud?.loop.checkInNow();
  }

  async remove(app: string): Promise<InstallResult> {
    const [result] = await this.options.hosting.ota.removeApp(app);
    if (result === undefined) throw new InvariantError("a removal that came to nothing");
    return result;
  }

  history(app: string | undefined): readonly JobRecord[] {
    return this.options.hosting.ota.history(app);
  }

  install(files: readonly string[]): Promise<readonly InstallResult[]> {
    return this.options.hosting.ota.installFiles(files);
  }
}

/** The engine and its queue as the processes `gwe` and `gmq`, which they were under supervisord, and are in `engine_report`. */
function engineParts({ paths, queueUptimeMs }: EngineControlOptions): readonly SupervisedProcess[] {
  const queueMs = queueUptimeMs();
  const part = { pid: process.pid, stdoutLog: paths.engineLog, autostart: true, priority: 999 };
  const queue = { ...part, group: "gmq", name: "gmq" };
  return [
    {
      ...part,
      group: "gwe",
      name: "gwe",
      state: "RUNNING",
      startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
    },
    queueMs === undefined
      ? { ...queue, state: "STOPPED" }
      : { ...queue, state: "RUNNING", startedAtMs: Math.round(Date.now() - queueMs) },
  ];
}
