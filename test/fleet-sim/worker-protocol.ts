/** What the simulation tells its workers, as JSON in their first argument. */
export interface WorkerOrder {
  readonly url: string;
  readonly product: string;
  /** Gateways `first` to `first + count - 1`. */
  readonly first: number;
  readonly count: number;
  readonly intervalS: number;
  /** The gateways start spread over so many milliseconds. */
  readonly spreadMs: number;
  readonly failing: number;
  readonly installMs: number;
  readonly cutOff: number;
  /** Share of the gateways that hold long polls. */
  readonly longPoll: number;
  readonly seed: number;
}

/** What a worker tells of each second. */
export interface WorkerSecond {
  /** Latency of each check-in that was answered, milliseconds. */
  readonly checkIns: readonly number[];
  /** Requests of every kind, repeated ones included. */
  readonly requests: number;
  /** Of those: on a kept-alive connection that turned out to be dead. */
  readonly stale: number;
  /** What calls failed of → how many. */
  readonly errors: Readonly<Record<string, number>>;
  /** The longest that the process itself was late by, milliseconds: what the figures of this second owe to it. */
  readonly lateMs: number;
  /** Gateways that are activated. */
  readonly activated: number;
  readonly privateBytes: number;
}

export function serialOf(index: number): string {
  return `GW-${String(index).padStart(6, "0")}`;
}
