import type { Logger } from "../core/logger.ts";

/** SIGTERM and SIGINT stop the engine, one that is just starting anew as well; a second one ends the process at once. */
export class StopSignals {
  private readonly stop = new AbortController();
  private readonly onStop = (name: NodeJS.Signals): void => {
    // From now on a signal has its usual effect.
    process.off("SIGTERM", this.onStop).off("SIGINT", this.onStop);
    this.stop.abort(name);
  };
  // A terminal that closes must not take the engine of a running gateway down half-way.
  private readonly onHangUp = (): void => undefined;

  listen(): void {
    process.on("SIGTERM", this.onStop).on("SIGINT", this.onStop).on("SIGHUP", this.onHangUp);
  }

  /** Aborts when the engine is to stop for good. */
  get received(): AbortSignal {
    return this.stop.signal;
  }

  /** Stops a run of the engine too. @returns what ends that */
  tell(run: AbortController, logger: Logger): () => void {
    const { signal } = this.stop;
    const onAbort = (): void => {
      logger.info("stopping", { signal: signal.reason });
      run.abort();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    return () => signal.removeEventListener("abort", onAbort);
  }

  ignore(): void {
    process.off("SIGTERM", this.onStop).off("SIGINT", this.onStop).off("SIGHUP", this.onHangUp);
  }
}
