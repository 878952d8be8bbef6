import type { Database } from "better-sqlite3";
import type { ReportAlias, ReportOutbox } from "../core/reports.ts";

/** What one check-in carries: at most one value per alias, since Murano stamps a whole request with one time. */
export interface OutboxBatch {
  readonly values: Readonly<Partial<Record<ReportAlias, string>>>;
  /** Identifies exactly these entries: a report replaced meanwhile is not taken for delivered. */
  readonly entries: readonly OutboxEntry[];
}

interface OutboxEntry {
  readonly seq: number;
  readonly alias: ReportAlias;
}

/** Reports that owe their delivery to the next check-in, kept in `lib/gateway.db`. */
export class Outbox implements ReportOutbox {
  private readonly db: Database;
  /** Delivered rows that are still on disk: see `delivered`. */
  private answered = new Set<number>();

  constructor(db: Database) {
    this.db = db;
  }

  put(alias: ReportAlias, value: string, key: string): void {
    if (alias === "fetch_status") {
      this.db
        .prepare("INSERT INTO outbox (alias, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .run(alias, key, value);
      return;
    }
    // A new row instead of an update: its number tells a delivery of the old value from one of the new.
    this.db.transaction(() => {
      this.db.prepare("DELETE FROM outbox WHERE alias = ?").run(alias);
      this.db.prepare("INSERT INTO outbox (alias, key, value) VALUES (?, ?, ?)").run(alias, key, value);
    })();
  }

  /** The oldest entry of each alias. */
  nextBatch(): OutboxBatch {
    const rows = this.db
      .prepare<[], OutboxEntry & { value: string }>(
        `SELECT seq, alias, value FROM outbox
         WHERE seq IN (SELECT min(seq) FROM outbox GROUP BY alias) ORDER BY seq`,
      )
      .all();
    const waiting = rows.filter(({ seq }) => !this.answered.has(seq));
    return {
      values: Object.fromEntries(waiting.map(({ alias, value }) => [alias, value])),
      entries: waiting.map(({ seq, alias }) => ({ seq, alias })),
    };
  }

  /**
   * Forgets what Murano has answered for. An `engine_report` alone costs no commit: it is replaced at the next
   * check-in anyway, and sent once more at worst after a crash.
   */
  delivered({ entries }: OutboxBatch): void {
    if (entries.every(({ alias }) => alias === "engine_report")) {
      this.answered = new Set(entries.map(({ seq }) => seq));
      return;
    }
    this.remove(entries);
  }

  /**
   * Drops what Murano keeps refusing as malformed or too large: it would block every later report.
   * @returns the aliases dropped
   */
  dropRejected({ entries }: OutboxBatch): readonly ReportAlias[] {
    this.remove(entries);
    return entries.map(({ alias }) => alias);
  }

  private remove(entries: readonly OutboxEntry[]): void {
    const remove = this.db.prepare("DELETE FROM outbox WHERE seq = ?");
    this.db.transaction(() => {
      for (const { seq } of entries) remove.run(seq);
    })();
  }

  /** Results of commands that wait; the other reports are composed anew at every check-in. */
  waitingResults(): number {
    return this.db
      .prepare<[], number>("SELECT count(*) FROM outbox WHERE alias = 'fetch_status'")
      .pluck()
      .get() as number;
  }
}
