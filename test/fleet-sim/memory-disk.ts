import type { ReportAlias, ReportOutbox } from "../../src/core/reports.ts";
import type { EngineFacts, Outbox } from "../../src/engine/index.ts";

type OutboxBatch = ReturnType<Outbox["nextBatch"]>;
type FetchCursor = NonNullable<ReturnType<EngineFacts["fetchCursor"]>>;

interface Entry {
  readonly seq: number;
  readonly alias: ReportAlias;
  readonly key: string;
  readonly value: string;
}

/** An engine's disk in a few hundred bytes: the outbox as `src/engine/outbox.ts` keeps it, without the database. */
export class MemoryOutbox implements ReportOutbox {
  #entries: Entry[] = [];
  #seq = 0;

  put(alias: ReportAlias, value: string, key: string): void {
    if (alias === "fetch_status") {
      if (this.#entries.some((entry) => entry.alias === alias && entry.key === key)) return;
    } else {
      this.#entries = this.#entries.filter((entry) => entry.alias !== alias);
    }
    this.#seq += 1;
    this.#entries.push({ seq: this.#seq, alias, key, value });
  }

  nextBatch(): OutboxBatch {
    const entries = this.#entries.filter(
      ({ alias }, index) => this.#entries.findIndex((other) => other.alias === alias) === index,
    );
    return {
      values: Object.fromEntries(entries.map(({ alias, value }) => [alias, value])),
      entries: entries.map(({ seq, alias }) => ({ seq, alias })),
    };
  }

  delivered({ entries }: OutboxBatch): void {
    const gone = new Set(entries.map(({ seq }) => seq));
    this.#entries = this.#entries.filter(({ seq }) => !gone.has(seq));
  }

  waitingResults(): number {
    return this.#entries.filter(({ alias }) => alias === "fetch_status").length;
  }
}

/** The check-in loop's facts, likewise. */
export class MemoryFacts
  implements
    Pick<
      EngineFacts,
      | "fetchCursor"
      | "setFetchCursor"
      | "deviceInfoSent"
      | "setDeviceInfoSent"
      | "usageSent"
      | "setUsageSent"
      | "forgetSent"
      | "atomically"
    >
{
  #cursor: FetchCursor | undefined;
  #deviceInfo: ReturnType<EngineFacts["deviceInfoSent"]>;
  #usage: ReturnType<EngineFacts["usageSent"]>;

  fetchCursor(): FetchCursor | undefined {
    return this.#cursor;
  }

  setFetchCursor(cursor: FetchCursor): void {
    this.#cursor = cursor;
  }

  deviceInfoSent(): ReturnType<EngineFacts["deviceInfoSent"]> {
    return this.#deviceInfo;
  }

  setDeviceInfoSent(sent: NonNullable<ReturnType<EngineFacts["deviceInfoSent"]>>): void {
    this.#deviceInfo = sent;
  }

  usageSent(): ReturnType<EngineFacts["usageSent"]> {
    return this.#usage;
  }

  setUsageSent(sent: NonNullable<ReturnType<EngineFacts["usageSent"]>>): void {
    this.#usage = sent;
  }

  forgetSent(): void {
    this.#deviceInfo = undefined;
    this.#usage = undefined;
  }

  atomically<T>(work: () => T): T {
    return work();
  }
}
