import * as z from "zod/mini";
import type { SqliteDatabase } from "../../platform/sqlite.ts";

/** Entries `from`, `from + 1`, … of a chunk and the second of each; null for one that is dead. */
export interface Slice {
  readonly firstSeq: number;
  readonly from: number;
  readonly seconds: (number | null)[];
}

export interface StoredBatch {
  readonly id: number;
  readonly identity: number;
  lane: number;
  readonly slices: readonly Slice[];
}

const slicesSchema = z.array(
  z.tuple([z.number(), z.number(), z.array(z.nullable(z.number())).check(z.minLength(1))]),
);

/** The table `batches`, mirrored in memory. */
export class Batches {
  private readonly stored = new Map<number, StoredBatch>();
  private readonly statements;

  constructor(db: SqliteDatabase) {
    this.statements = {
      insert: db.prepare("INSERT INTO batches (identity, lane, slices) VALUES (?, ?, ?)"),
      update: db.prepare("UPDATE batches SET slices = ? WHERE id = +?"),
      move: db.prepare("UPDATE batches SET lane = ? WHERE identity = +? AND lane = +?"),
      delete: db.prepare("DELETE FROM batches WHERE id = +?"),
    };
    const rows = db
      .prepare<[], { id: number; identity: number; lane: number; slices: string }>(
        "SELECT * FROM batches ORDER BY id",
      )
      .all();
    for (const { slices, ...row } of rows) {
      const parsed = slicesSchema.parse(JSON.parse(slices));
      this.stored.set(row.id, {
        ...row,
        slices: parsed.map(([firstSeq, from, seconds]) => ({ firstSeq, from, seconds })),
      });
    }
  }

  get(id: number): StoredBatch | undefined {
    return this.stored.get(id);
  }

  all(): Iterable<StoredBatch> {
    return this.stored.values();
  }

  add(identity: number, lane: number, slices: readonly Slice[]): StoredBatch {
    const { lastInsertRowid } = this.statements.insert.run(identity, lane, encode(slices));
    const batch: StoredBatch = { id: Number(lastInsertRowid), identity, lane, slices };
    this.stored.set(batch.id, batch);
    return batch;
  }

  /** After its seconds were changed. */
  save({ id, slices }: StoredBatch): void {
    this.statements.update.run(encode(slices), id);
  }

  move(identity: number, from: number, to: number): void {
    this.statements.move.run(to, identity, from);
    for (const batch of this.stored.values()) {
      if (batch.identity === identity && batch.lane === from) batch.lane = to;
    }
  }

  remove(id: number): void {
    this.statements.delete.run(id);
    this.stored.delete(id);
  }
}

function encode(slices: readonly Slice[]): string {
  return JSON.stringify(slices.map(({ firstSeq, from, seconds }) => [firstSeq, from, seconds]));
}
