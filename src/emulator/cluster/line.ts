import type { Message } from "./message.ts";

export interface LineListener {
  /** Another process tells. */
  heard(message: Message): void;
  /** The line was cut for a while: what was told meanwhile is lost. */
  missed(): void;
  /** Whether this process is from now on the one of all that leads. */
  leads(isLeader: boolean): void;
}

/** What connects the processes that share a database. At most one of them leads at any time that the database can see. */
export interface Line {
  /** Resolves once everything told from then on is heard. */
  start(listener: LineListener): Promise<void>;
  /** Tells all others, soon and in this order. */
  send(message: Message): void;
  /**
   * Resolves when what was sent so far is on its way to all others; where the line is cut, they are told
   * `everything` when it is whole again.
   */
  sent(): Promise<void>;
  stop(): Promise<void>;
}
