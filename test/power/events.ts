/** What a load did, and when: each event carries how long the write log was then. */
import { appendFileSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";

export type Stamped<Event> = Event & {
  /** Bytes of the write log when it was noted; 0: before this log began. */
  readonly at: number;
};

/** The load's side. */
export class EventLog<Event extends object> {
  private readonly file: string;
  private readonly writeLog: number;

  /** @param file on another disk than the one that is recorded */
  constructor(file: string, writeLog: string) {
    this.file = file;
    this.writeLog = openSync(writeLog, "r");
  }

  /** To be called at once when it has happened: what is written in between weakens the proof. */
  note(...events: readonly Event[]): void {
    const at = fstatSync(this.writeLog).size;
    appendFileSync(this.file, events.map((event) => `${JSON.stringify({ ...event, at })}\n`).join(""));
  }
}

export function writeEvents(file: string, events: readonly unknown[]): void {
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

export function readEvents<Event>(file: string): readonly Stamped<Event>[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Stamped<Event>);
}

/** What had been noted at a moment of the write log. */
export function until<Event>(events: readonly Stamped<Event>[], logBytes: number): readonly Stamped<Event>[] {
  return events.filter(({ at }) => at <= logBytes);
}
