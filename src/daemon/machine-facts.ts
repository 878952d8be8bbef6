import type { Logger } from "../core/logger.ts";
import { runProcess } from "../platform/run-process.ts";
import { type MachineFacts, parseMachineFacts } from "../telemetry/index.ts";

export interface MachineFactsOptions {
  readonly nodeFile: string;
  readonly programFile: string;
  readonly cwd: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs the `machine-facts` program; undefined when it fails: `device_info` then goes without those facts. */
export async function askMachineFacts(options: MachineFactsOptions): Promise<MachineFacts | undefined> {
  const outcome = await runProcess({
    command: options.nodeFile,
    args: [options.programFile],
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    timeoutMs: 60_000,
    killAfterMs: 1_000,
    maxOutputBytes: 64 * 1024,
    signal: options.signal,
  });
  const facts = outcome.exitCode === 0 ? parseMachineFacts(outcome.output.toString("utf8")) : undefined;
  if (facts === undefined && !options.signal.aborted) {
    options.logger.warn("machine facts could not be collected", {
      end: outcome.end,
      exitCode: outcome.exitCode,
    });
  }
  return facts;
}
