/** One entry of pm2's process list. */
export interface Pm2Entry {
  /** pm2's own number for it. */
  readonly id: number;
  readonly name: string;
  /** The launcher's; undefined when none runs. */
  readonly pid: number | undefined;
  /** pm2's word: `online`, `launching`, `stopping`, `stopped`, `errored`, `waiting restart`. */
  readonly status: string;
  /** As given at `start`; undefined for what somebody else started. */
  readonly generation: number | undefined;
  /** supervisord's, as given at `start`. */
  readonly priority: number | undefined;
}

export interface Pm2StartRequest {
  readonly name: string;
  readonly generation: number;
  /** supervisord's, of an app. */
  readonly priority?: number;
  /** Absolute path of a program, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** pm2 starts it again unless it ends with one of these. */
  readonly stopExitCodes: readonly number[];
  /** How long after its stop signal pm2 kills it. */
  readonly killTimeoutMs: number;
  /** How long pm2 waits before it starts it again; 0 by default. */
  readonly restartDelayMs?: number;
}

/**
 * pm2, as far as the engine uses it. Every call has a time-out and fails with Pm2UnavailableError, Pm2TimeoutError
 * or Pm2CallError. `list` may be repeated; `start` twice starts two; `remove` of an unknown id is a Pm2CallError.
 */
export interface Pm2Port {
  /** Makes sure that a daemon answers: starts, waits for, or replaces one. Callers may race. */
  ensureUp(signal?: AbortSignal): Promise<void>;
  /** Lets a daemon go on that somebody has stopped (SIGSTOP): nothing is lost that way. Cheap, to be called often. */
  wake(): void;
  /** Whether the connection to the daemon is open right now. */
  isUp(): boolean;
  list(): Promise<readonly Pm2Entry[]>;
  start(request: Pm2StartRequest): Promise<void>;
  /** Stops it, waits for its end, and forgets it. */
  remove(id: number, timeoutMs: number): Promise<void>;
  /** Called when the open connection breaks: the daemon is gone. Returns how to stop listening. */
  onDown(listener: () => void): () => void;
  /** Ends the daemon, unless it belongs to systemd. Its entries are to be removed before. */
  shutDown(): Promise<void>;
  /** Lets go of the daemon, which runs on. */
  close(): void;
}
