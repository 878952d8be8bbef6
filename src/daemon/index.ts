import { GweError } from "../core/errors.ts";

/** This build cannot run an engine. */
export class NoEngineError extends GweError {
  readonly code = "NO_ENGINE";
}

/** @throws NoEngineError always: this build holds the commands only */
export function runDaemon(): Promise<number> {
  return Promise.reject(new NoEngineError("the engine is not part of this build"));
}
