import type { Stamped } from "./events.ts";
import type { Dice } from "./random.ts";

/** What a load's program gets as its one argument, in JSON. */
export interface LoadRequest {
  /** The recorded disk. */
  readonly directory: string;
  /** Its write log, and where to note what happened. */
  readonly writeLog: string;
  readonly events: string;
  /** What had been noted in this disk's earlier lives. */
  readonly history: string;
  readonly seed: string;
  /** Power cuts that this disk has seen before. */
  readonly life: number;
  /** Without the syncs that make it safe, so that it must be caught losing data. */
  readonly control: boolean;
}

/** A disk after a power cut, mounted. */
export interface CutState<Event> {
  readonly directory: string;
  /** Of this disk and of its earlier lives: whatever the load had noted before the power failed. */
  readonly events: readonly Stamped<Event>[];
  readonly dice: Dice;
}

/** Something that must survive power cuts. */
export interface Scenario<Event = unknown> {
  readonly name: string;
  /** What is promised, in one line. */
  readonly promise: string;
  /** Puts the disk under load, and ends by itself: a program of its own, named by its file. */
  readonly load: string;
  /** What the control run leaves out. */
  readonly control: string;
  /** Share of all states. */
  readonly weight: number;
  /** Opens what is there by the real code and leaves nothing open. @throws Violation for a broken promise; whatever else it throws is one too */
  check(state: CutState<Event>): Promise<void> | void;
}
