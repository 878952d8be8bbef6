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
  readonly seed: number;
}

/** What a worker tells of each second. */
export interface WorkerSecond {
  /** Latency of each check-in that was answered, milliseconds. */
  readonly checkIns: readonly number[];
  /** Requests of every kind. */
  readonly requests: number;
  /** What requests failed of → how many. */
  readonly errors: Readonly<Record<string, number>>;
  readonly privateBytes: number;
}

export function serialOf(index: number): string {
  return `GW-${String(index).padStart(6, "0")}`;
}
