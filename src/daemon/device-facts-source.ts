import { engineVersion } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { bootId } from "../platform/process-table.ts";
import { runProcess } from "../platform/run-process.ts";
import {
  collectDeviceFacts,
  collectTimeState,
  deviceInfo,
  lastingFacts,
  type MachineFacts,
  machineFiles,
  systemCalls,
  type TimeState,
} from "../telemetry/index.ts";
import { askMachineFacts } from "./machine-facts.ts";

export interface DeviceFactsSourceOptions {
  readonly nodeFile: string;
  /** The `machine-facts` program. */
  readonly programFile: string;
  readonly cwd: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asking what machine this is waits until the start-up is over: it competes for the processor. */
const learnDelayMs = 5_000;
/** Asking for the state of the clock may cost a program's start. */
const timeStateLastsMs = 10 * 60_000;
const askTimeoutMs = 2_000;

/** What `device_info` is made of. What is dear to ask for is asked once, or now and then, and remembered. */
export class DeviceFactsSource {
  private readonly options: DeviceFactsSourceOptions;
  private machineFacts: MachineFacts | undefined;
  private time: TimeState = { synchronised: null, source: null };
  private timeAskedMs = Number.NEGATIVE_INFINITY;

  constructor(options: DeviceFactsSourceOptions) {
    this.options = options;
  }

  /** Resolves when it has asked, or `stop` aborts. */
  async learn(stop: AbortSignal): Promise<void> {
    const { nodeFile, programFile, cwd, clock, logger } = this.options;
    try {
      await clock.sleep(learnDelayMs, stop);
    } catch {
      return; // The engine stops.
    }
    this.machineFacts = await askMachineFacts({ nodeFile, programFile, cwd, logger, signal: stop });
  }

  /** The report's text, and what is lasting in it. */
  async deviceInfo(): Promise<{ readonly text: string; readonly lasting: string }> {
    const { clock } = this.options;
    if (clock.monotonic() - this.timeAskedMs >= timeStateLastsMs) {
      this.timeAskedMs = clock.monotonic();
      this.time = await collectTimeState(machineFiles, (command, args) => this.ask(command, args));
    }
    const facts = await collectDeviceFacts(machineFiles, systemCalls(), {
      engineVersion,
      bootId: bootId(),
      machineFacts: this.machineFacts,
      time: this.time,
      nowMs: clock.now(),
    });
    return { text: deviceInfo(facts), lasting: lastingFacts(facts) };
  }

  private async ask(command: string, args: readonly string[]): Promise<string | undefined> {
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
