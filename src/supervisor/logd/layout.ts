import { join } from "node:path";

/** What lies in the log daemon's directory, `run/logd/` (mode 0700). */
export interface LogdLayout {
  readonly directory: string;
  /** One file a unit: which of its streams are read, and where they go (stream-file.ts). */
  readonly streams: string;
  /** One FIFO a stream, made by the launcher. */
  readonly fifos: string;
  /**
   * An empty file in here asks the log daemon to look at everything anew and to write what is in the FIFOs by then; it
   * removes the file when that is done.
   */
  readonly requests: string;
  /** Which process the log daemon is: `pid:ticks:boot`, as launchers write theirs. */
  readonly identity: string;
  /** The bundle that is run: a copy, so that an update of the engine can replace the original. */
  readonly program: string;
}

/** The name of the request that has the log daemon end at once, because another takes its place. */
export const handOver = "hand-over";

export function logdLayout(runDir: string): LogdLayout {
  const directory = join(runDir, "logd");
  return {
    directory,
    streams: join(directory, "streams"),
    fifos: join(directory, "fifos"),
    requests: join(directory, "requests"),
    identity: join(directory, "process"),
    program: join(directory, "logd.mjs"),
  };
}
