import type { TargetState } from "./target-states.ts";
import type { Owner, SerialStatus, Value } from "./types.ts";

/** What the console keeps beside Murano's own data. */

/** One device with its serial, as the fleet lists it. */
export interface RosterEntry {
  readonly clientId: number;
  readonly ownerId: number;
  readonly rid: string;
  readonly product: string;
  readonly sn: string;
  /** The serial's text: its words are tags. */
  readonly extra: string;
  readonly status: SerialStatus;
  /** Groups that the serial is a direct member of. */
  readonly groups: readonly string[];
}

/** A signed-in browser. */
export interface Session {
  readonly owner: Owner;
  readonly csrf: string;
  readonly expiresAt: number;
}

export interface SessionStore {
  /** `hash` names the session; ended ones are removed on the way. */
  add(session: {
    readonly hash: string;
    readonly token: string;
    readonly csrf: string;
    readonly expiresAt: number;
    readonly now: number;
  }): Promise<void>;
  /** Undefined when it is over, or its token no longer holds. */
  find(hash: string, now: number): Promise<Session | undefined>;
  extend(hash: string, expiresAt: number): Promise<void>;
  remove(hash: string): Promise<void>;
}

export interface CommandRecord {
  readonly id: string;
  readonly ownerId: number;
  readonly at: number;
  /** JSON, as it stands in `engine_fetch`. */
  readonly text: string;
  readonly counts: Readonly<Partial<Record<TargetState, number>>>;
}

export interface CommandTarget {
  readonly clientId: number;
  readonly rid: string;
  readonly product: string;
  readonly sn: string;
  readonly state: TargetState;
  readonly at: number;
  readonly detail: string;
}

/** A target that has not come to its end. */
export interface OpenTarget {
  readonly commandId: string;
  readonly clientId: number;
  readonly state: TargetState;
  /** When the command was given. */
  readonly givenAt: number;
  readonly text: string;
}

export interface CommandStore {
  /** Keeps the newest 1,000 of an owner. */
  add(command: Omit<CommandRecord, "counts">): Promise<void>;
  /**
   * Writes the command's text into `engine_fetch` of each client whose alias holds nothing, and notes each as a target:
   * `waiting`, or `blocked` where another command waits. Resolves to the clients written to.
   */
  deliver(
    commandId: string,
    clientIds: readonly number[],
    value: Value,
    now: number,
  ): Promise<readonly number[]>;
  /** Changes a target that is still in the state `from`; false where it is in another by now. */
  setState(
    commandId: string,
    clientId: number,
    change: {
      readonly from: TargetState;
      readonly state: TargetState;
      readonly at: number;
      readonly detail: string;
    },
  ): Promise<boolean>;
  list(ownerId: number, limit: number): Promise<readonly CommandRecord[]>;
  find(id: string): Promise<CommandRecord | undefined>;
  targets(id: string): Promise<readonly CommandTarget[]>;
  /** All that are `waiting` or `taken`. */
  open(): Promise<readonly OpenTarget[]>;
  /** Those of one client. */
  openAt(clientId: number): Promise<readonly OpenTarget[]>;
}
