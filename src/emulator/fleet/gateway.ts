/** An app as its gateway last reported it. */
export interface GatewayApp {
  readonly name: string;
  readonly version: string;
  readonly status: string;
}

/** How a gateway's newest command ended. */
export interface CommandResult {
  readonly ts: number;
  readonly id: string;
  readonly status: string;
  readonly app: string;
  readonly version: string;
}

/** What a gateway's reports say of it; absent where they say nothing. */
export interface GatewayFacts {
  readonly engine?: string;
  readonly host?: string;
  readonly os?: string;
  readonly arch?: string;
  readonly kernel?: string;
  readonly model?: string;
  readonly ip?: string;
  readonly apps: readonly GatewayApp[];
  /** Of the fullest file system, in percent. */
  readonly disk?: number;
  /** Memory in use, in percent. */
  readonly memory?: number;
  /** Entries that wait in its queue. */
  readonly queue?: number;
  /** Bytes moved, both ways. */
  readonly traffic?: number;
  /** Id of the command that it has not taken yet; the text of one that has none. */
  readonly pending?: string;
  readonly result?: CommandResult;
}

/** One row of the fleet: who it is, whether it is there, and what it tells. Times: unix seconds. */
export interface Gateway extends GatewayFacts {
  readonly rid: string;
  readonly product: string;
  readonly sn: string;
  /** Of provisioning: `activated`, `notactivated`, `expired`. */
  readonly status: string;
  /** Words of the text that the server keeps with its serial. */
  readonly tags: readonly string[];
  /** The server's groups that it is a direct member of. */
  readonly groups: readonly string[];
  /** Its last request; null: never. */
  readonly seen: number | null;
  /** Until when it counts as online if nothing more comes; 0: it never came. */
  readonly onlineUntil: number;
  /** Seconds between its check-ins, as observed. */
  readonly interval?: number;
}

/** States that an app can stay in without anything being wrong. */
const healthyStates = new Set(["RUNNING", "STOPPED", "EXITED", "STARTING"]);

export function isFailing(app: GatewayApp): boolean {
  return !healthyStates.has(app.status);
}

export function isOnline(gateway: Pick<Gateway, "onlineUntil">, now: number): boolean {
  return gateway.onlineUntil > now;
}
