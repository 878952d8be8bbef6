import type { Clock } from "../core/clock.ts";
import { runProcess } from "../platform/run-process.ts";
import { collectTimeState, machineFiles, type TimeState } from "../telemetry/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";

export interface SystemTimeOptions {
  readonly keeper: ClockKeeper;
  readonly cwd: string;
  readonly clock: Clock;
}

/** Asking may cost a program's start. */
const lastsMs = 10 * 60_000;
const askTimeoutMs = 2_000;

/** Asks the operating system, now and then, whether its clock is synchronised. */
export class SystemTime {
  private readonly options: SystemTimeOptions;
  private state: Promise<TimeState> | undefined;
  private askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: SystemTimeOptions) {
    this.options = options;
  }

  /** At most ten minutes old. */
  async recent(): Promise<TimeState> {
    const { clock } = this.options;
    if (this.state === undefined || clock.monotonic() - this.askedMs >= lastsMs) return await this.ask();
    return await this.state;
  }

  async ask(): Promise<TimeState> {
    const { keeper, clock } = this.options;
    this.askedMs = clock.monotonic();
    this.state = collectTimeState(machineFiles, (command, args) => this.run(command, args), {
      // systemd-timesyncd's file stays when somebody sets the clock by hand.
      believesFile: !keeper.wasSet,
    });
    const state = await this.state;
    if (state.synchronised === true) keeper.heardSystem();
    return state;
  }

  private async run(command: string, args: readonly string[]): Promise<string | undefined> {
    const outcome = await runProcess({
      command,
      args,
      cwd: this.options.cwd,
      env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      timeoutMs: askTimeoutMs,
      killAfterMs: 500,
      maxOutputBytes: 16 * 1024,
    });
    return outcome.exitCode === 0 ? outcome.output.toString("utf8") : undefined;
  }
}
