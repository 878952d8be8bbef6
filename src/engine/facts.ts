import type { Database } from "better-sqlite3";
import * as z from "zod/mini";

/** How far the history of `engine_fetch` has been taken over. */
export interface FetchCursor {
  /** Server's unix seconds of the newest command taken. */
  readonly timestamp: number;
  /** Hash of its text: two commands may share a second. */
  readonly textHash: string;
  /** A command may have been overwritten by our clearing: history is still to be read. */
  readonly reviewPending: boolean;
  /** Hashes of commands that were taken while the review was owed: it will meet them. */
  readonly takenSince?: readonly string[] | undefined;
}

/** When a report was last accepted by Murano, and a digest of that in it which is told at once when it changes. */
export interface ReportSent {
  readonly sentAtMs: number;
  readonly digest?: string | undefined;
}

const reportSent = z.object({ sentAtMs: z.number(), digest: z.optional(z.string()) });

/** The true time as it was last known, and in which boot. */
export interface KnownTime {
  readonly bootId: string;
  /** Unix milliseconds less the time since that boot. */
  readonly offsetMs: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

const schemas = {
  fetchCursor: z.object({
    timestamp: z.number(),
    textHash: z.string(),
    reviewPending: z.boolean(),
    takenSince: z.optional(z.array(z.string())),
  }),
  deviceInfoSent: reportSent,
  usageSent: reportSent,
  knownTime: z.object({ bootId: z.string(), offsetMs: z.number(), nowMs: z.number() }),
  /** Its shape is telemetry's business. */
  usage: z.unknown(),
  diskWrites: z.unknown(),
  budgets: z.unknown(),
};

/** Small durable facts of the check-in loop, in `lib/gateway.db`. */
export class EngineFacts {
  private readonly db: Database;
  private readonly select;
  private readonly upsert;
  /** What was read last under each name, and what it means. */
  private readonly parsed = new Map<string, { readonly text: string; readonly value: unknown }>();

  constructor(db: Database) {
    this.db = db;
    this.select = db.prepare<[string], string>("SELECT value FROM engine_facts WHERE name = +?").pluck();
    this.upsert = db.prepare(
      "INSERT INTO engine_facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
  }

  fetchCursor(): FetchCursor | undefined {
    return this.read("fetchCursor");
  }

  setFetchCursor(cursor: FetchCursor): void {
    this.write("fetchCursor", cursor);
  }

  deviceInfoSent(): ReportSent | undefined {
    return this.read("deviceInfoSent");
  }

  setDeviceInfoSent(sent: ReportSent): void {
    this.write("deviceInfoSent", sent);
  }

  usageSent(): ReportSent | undefined {
    return this.read("usageSent");
  }

  setUsageSent(sent: ReportSent): void {
    this.write("usageSent", sent);
  }

  /** The counted traffic, as it was given; undefined before anything was. */
  usage(): unknown {
    return this.read("usage");
  }

  setUsage(state: unknown): void {
    this.write("usage", state);
  }

  knownTime(): KnownTime | undefined {
    return this.read("knownTime");
  }

  setKnownTime(known: KnownTime): void {
    this.write("knownTime", known);
  }

  /** What the engine has written to disk, as it was given; undefined before anything was. */
  diskWrites(): unknown {
    return this.read("diskWrites");
  }

  setDiskWrites(state: unknown): void {
    this.write("diskWrites", state);
  }

  /** What was spent of the budgets, as it was given; undefined before anything was. */
  budgets(): unknown {
    return this.read("budgets");
  }

  setBudgets(state: unknown): void {
    this.write("budgets", state);
  }

  /** All reports are owed again. */
  forgetSent(): void {
    this.db.prepare("DELETE FROM engine_facts WHERE name IN (?, ?)").run("deviceInfoSent", "usageSent");
  }

  /** Several changes in one commit, together with those of other stores on the same database. */
  atomically<T>(work: () => T): T {
    return this.db.transaction(work)();
  }

  private read<N extends keyof typeof schemas>(name: N): z.infer<(typeof schemas)[N]> | undefined {
    const text = this.select.get(name);
    if (text === undefined) return undefined;
    const known = this.parsed.get(name);
    if (known?.text === text) return known.value as z.infer<(typeof schemas)[N]> | undefined;
    const parsed = schemas[name].safeParse(parseJson(text));
    // What another version wrote, or damage left, must not stop every later check-in: it counts as not known.
    const value = parsed.success ? (parsed.data as z.infer<(typeof schemas)[N]>) : undefined;
    this.parsed.set(name, { text, value });
    return value;
  }

  private write(name: keyof typeof schemas, value: unknown): void {
    this.upsert.run(name, JSON.stringify(value));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
