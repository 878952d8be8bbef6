import type { AppStatus } from "../../core/app-status.ts";
import { StepFailure } from "../errors.ts";
import type { InstallerResult, UnpackedApp } from "../state-machine.ts";
import { appFailure } from "./app-log.ts";
import { type OnStarted, runOptional } from "./script.ts";
import type { StepContext } from "./step.ts";
import { describeStatus } from "./takeover.ts";

/** Where an app stands in its probation. */
type Look =
  | { readonly verdict: "up"; readonly status: AppStatus }
  /** Not up yet, or supervision cannot tell. */
  | { readonly verdict: "unknown"; readonly status: AppStatus }
  /** It is through without having failed. */
  | { readonly verdict: "over"; readonly note: string };

/**
 * Watches a fresh version until it has been RUNNING for `limits.probationMs` without a break, then asks its `health`
 * script. Begun again after a crash, it starts over. Resolves to a note for the report.
 *
 * @throws StepFailure when the app ends unexpectedly, does not come up, or is not healthy; the signal's reason when aborted
 */
export async function probation(
  context: StepContext,
  app: UnpackedApp,
  result: InstallerResult,
  onStarted: OnStarted,
): Promise<string> {
  const { deps, signal } = context;
  const { clock, limits } = deps;
  const watch = new Watch(context, result);
  const beganAt = clock.monotonic();
  let upSince: number | undefined;
  for (;;) {
    const look = await watch.look();
    if (look.verdict === "over") return look.note;
    if (look.verdict === "up") upSince ??= clock.monotonic();
    const now = clock.monotonic();
    if (look.verdict === "up" && upSince !== undefined && now - upSince >= limits.probationMs) break;
    // A long `startsecs`, or supervision away for a while: patience has an end.
    if (now - beganAt >= limits.probationMs + limits.settleTimeoutMs) {
      const complaint = `not RUNNING in time for its probation: ${describeStatus(look.status)}`;
      throw await appFailure(context, complaint, look.status, result);
    }
    await clock.sleep(limits.probationPollMs, signal);
  }
  return askHealth(context, app, watch, onStarted);
}

/** Early in its life an app may need a moment more than the probation: it is asked a few times. */
async function askHealth(
  context: StepContext,
  app: UnpackedApp,
  watch: Watch,
  onStarted: OnStarted,
): Promise<string> {
  const { deps, job, signal } = context;
  const owner = { directory: app.directory, version: job.version, previousVersion: undefined };
  for (let attempt = 1; ; attempt++) {
    let failure: StepFailure | undefined;
    try {
      await runOptional(context, "health", owner, onStarted);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      failure = error;
    }
    const look = await watch.look();
    if (look.verdict === "over") return look.note;
    if (failure === undefined) return "";
    if (attempt >= deps.limits.healthAttempts) {
      throw await watch.unhealthy(`${failure.message} (asked ${attempt} times)`, failure, look.status);
    }
    await deps.clock.sleep(deps.limits.healthRetryMs, signal);
  }
}

/** Looks at one app again and again, and notices when it is no longer the process that it was. */
class Watch {
  private readonly context: StepContext;
  private readonly result: InstallerResult;
  private restarts: number | undefined;

  constructor(context: StepContext, result: InstallerResult) {
    this.context = context;
    this.result = result;
  }

  async look(): Promise<Look> {
    const { deps, job, signal } = this.context;
    const status = await deps.host.settled(job.app, 0, signal);
    signal.throwIfAborted();
    switch (status.state) {
      case "EXITED":
        if (status.restarting === true) {
          throw await this.failure(`did not stay up: ${describeStatus(status)}`, status);
        }
        return { verdict: "over", note: `installed; ${describeStatus(status)}` };
      case "STOPPED":
        return { verdict: "over", note: "installed; stopped by somebody during its probation" };
      case "BACKOFF":
      case "FATAL":
        throw await this.failure(`did not stay up: ${describeStatus(status)}`, status);
      case "STARTING":
      case "RUNNING":
        this.restarts ??= status.restarts;
        if (status.restarts > this.restarts) {
          throw await this.failure(`did not stay up: it ended and was started again`, status);
        }
        return { verdict: status.state === "RUNNING" ? "up" : "unknown", status };
      case "STOPPING":
      case "UNKNOWN":
        return { verdict: "unknown", status };
    }
  }

  unhealthy(
    complaint: string,
    { output, outputBytesCut }: StepFailure,
    status: AppStatus,
  ): Promise<StepFailure> {
    const { exitCode } = this.result;
    const heard = output === "" ? "" : `gwe: what health printed:\n${output}`;
    const result = { exitCode, output: this.result.output + heard, outputBytesCut };
    return appFailure(this.context, `unhealthy: ${complaint}`, status, {
      ...result,
      outputBytesCut: outputBytesCut + this.result.outputBytesCut,
    });
  }

  private failure(complaint: string, status: AppStatus): Promise<StepFailure> {
    return appFailure(this.context, complaint, status, this.result);
  }
}
