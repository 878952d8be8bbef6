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
  private readonly statements;
  /** Delivered rows that are still on disk: see `delivered`. */
  private readonly answered = new Set<number>();

  constructor(db: Database) {
    this.db = db;
    this.statements = {
      addOnce: db.prepare("INSERT INTO outbox (alias, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
      add: db.prepare("INSERT INTO outbox (alias, key, value) VALUES (?, ?, ?)"),
      dropAlias: db.prepare("DELETE FROM outbox WHERE alias = +?"),
      drop: db.prepare("DELETE FROM outbox WHERE seq = +?"),
      list: db.prepare<[], OutboxEntry>("SELECT seq, alias FROM outbox ORDER BY seq"),
      value: db.prepare<[number], string>("SELECT value FROM outbox WHERE seq = +?").pluck(),
    };
  }

  put(alias: ReportAlias, value: string, key: string): void {
    if (alias === "fetch_status") {
      this.statements.addOnce.run(alias, key, value);
      return;
    }
    // A new row instead of an update: its number tells a delivery of the old value from one of the new.
    this.db.transaction(() => {
      this.statements.dropAlias.run(alias);
      this.statements.add.run(alias, key, value);
    })();
  }

  /** The oldest entry of each alias. */
  nextBatch(): OutboxBatch {
    const kept = this.statements.list.all();
    this.forgetReplaced(kept);
    const waiting = kept.filter(({ seq }) => !this.answered.has(seq));
    const entries = waiting.filter(
      ({ alias }, index) => waiting.findIndex((other) => other.alias === alias) === index,
    );
    return {
      values: Object.fromEntries(
        entries.map(({ seq, alias }) => [alias, this.statements.value.get(seq) ?? ""]),
      ),
      entries,
    };
  }

  /**
   * Forgets what Murano has answered for. An `engine_report` alone costs no commit: it is replaced at the next
   * check-in anyway, and sent once more at worst after a crash.
   *
   * @throws SqliteError when the disk refuses; the entries are then still not sent again while this process lives
   */
  delivered({ entries }: OutboxBatch): void {
    for (const { seq } of entries) this.answered.add(seq);
    if (entries.every(({ alias }) => alias === "engine_report")) return;
    this.db.transaction(() => {
      for (const seq of this.answered) this.statements.drop.run(seq);
    })();
    this.answered.clear();
  }

  /** Numbers of rows that a newer report has taken the place of: they never come back. */
  private forgetReplaced(kept: readonly OutboxEntry[]): void {
    if (this.answered.size === 0) return;
    const onDisk = new Set(kept.map(({ seq }) => seq));
    for (const seq of this.answered) if (!onDisk.has(seq)) this.answered.delete(seq);
  }

  /** Results of commands that wait; the other reports are composed anew at every check-in. */
  waitingResults(): number {
    return this.statements.list
      .all()
      .filter(({ seq, alias }) => alias === "fetch_status" && !this.answered.has(seq)).length;
  }
}
