import { networkInterfaces } from "node:os";
import { engineVersion } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { bootId } from "../platform/process-table.ts";
import {
  collectDeviceFacts,
  deviceInfo,
  lastingFacts,
  type MachineFacts,
  machineFiles,
  type ReportedTime,
  readKernelFile,
  systemCalls,
} from "../telemetry/index.ts";
import { askMachineFacts } from "./machine-facts.ts";

export interface DeviceFactsSourceOptions {
  readonly nodeFile: string;
  /** The `machine-facts` program. */
  readonly programFile: string;
  readonly cwd: string;
  /** Whether the clock is right, and who says so. */
  readonly time: () => Promise<ReportedTime>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asking what machine this is waits until the start-up is over: it competes for the processor. */
const learnDelayMs = 5_000;

/** What `device_info` is made of. What is dear to ask for is asked once, or now and then, and remembered. */
export class DeviceFactsSource {
  private readonly options: DeviceFactsSourceOptions;
  private machineFacts: MachineFacts | undefined;

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

  /** Another whenever an address, route, name server, mount or name of the device has changed, or all became known. */
  fingerprint(): string {
    const routes = [readKernelFile("/proc/net/route"), readKernelFile("/proc/net/ipv6_route")];
    const mounts = readKernelFile("/proc/self/mounts")?.split("\n") ?? [];
    return JSON.stringify([
      systemCalls().uname,
      networkInterfaces(),
      // Of a route the counts of its use, too, are in these.
      routes.map((text) => text?.split("\n").map((line) => line.split(/\s+/).slice(0, 5))),
      readKernelFile("/etc/resolv.conf"),
      // Memory file systems come and go with every login.
      mounts.filter((line) => line.startsWith("/")),
      this.machineFacts !== undefined,
    ]);
  }

  /** The report's text, and what is lasting in it. */
  async deviceInfo(): Promise<{ readonly text: string; readonly lasting: string }> {
    const { clock, time } = this.options;
    const facts = await collectDeviceFacts(machineFiles, systemCalls(), {
      engineVersion,
      bootId: bootId(),
      machineFacts: this.machineFacts,
      time: await time(),
      nowMs: clock.now(),
    });
    return { text: deviceInfo(facts), lasting: lastingFacts(facts) };
  }
}
