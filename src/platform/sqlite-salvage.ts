import { existsSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import { GweError } from "../core/errors.ts";
import { copyReadable } from "./copy-readable.ts";
import { transplantFirstPage } from "./sqlite-first-page.ts";

/** What came of one table. */
export interface SalvagedTable {
  readonly table: string;
  readonly copied: number;
  /** Rows that were read but hold what the schema excludes. */
  readonly refused: number;
  /** Some of it could not be read: how many rows that were, nobody knows. */
  readonly damaged: boolean;
}

/** The fresh database cannot take what was salvaged. */
class SalvageError extends GweError {
  readonly code = "SALVAGE";
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Bounds on what a damaged tree may make us do: pages that point at one another yield rows without end. Where there are
 * rowids, the order of the rows tells; elsewhere their number, far above what tables without rowids are for.
 */
const maxRowsWithoutRowid = 200_000;
const maxProbes = 1_000;

/**
 * Copies every row that can still be read from a damaged database into a fresh one with the same schema. Never throws
 * for what the damaged file holds, and does not change it.
 *
 * Each table is read forwards and backwards up to the damage, and row by row in between. Where the damage is so that
 * the file as a whole cannot be used, it is tried again without its write-ahead log (which may belong to another
 * database), and with the first page of the fresh one.
 *
 * @param scratch a path for copies, removed again
 * @throws SalvageError when the fresh database cannot be written
 */
export function salvage(damagedFile: string, fresh: Database.Database, scratch: string): SalvagedTable[] {
  const found = new Map<string, SalvagedTable>();
  const tables = tablesOf(fresh);
  fresh.pragma("foreign_keys = OFF");
  try {
    fresh.transaction(() => {
      for (const attempt of attempts(damagedFile, fresh, scratch)) {
        // A table of which something was read is left alone: an older state beside it would bring back what is done.
        const missing = tables.filter(({ name }) => needsMore(found.get(name)));
        if (missing.length === 0) break;
        withSource(attempt, (source) => {
          for (const table of missing) found.set(table.name, copyTable(source, fresh, table));
          keepSequences(source, fresh);
        });
      }
      dropOrphans(fresh);
    })();
  } finally {
    fresh.pragma("foreign_keys = ON");
    removeDatabase(scratch);
  }
  return tables.map(({ name }) => found.get(name) ?? { table: name, copied: 0, refused: 0, damaged: true });
}

function needsMore(result: SalvagedTable | undefined): boolean {
  return result === undefined || (result.damaged && result.copied === 0);
}

/** The files to read from, made one after another as they are needed. */
function* attempts(damagedFile: string, fresh: Database.Database, scratch: string): Generator<string> {
  copyDatabase(damagedFile, scratch, ["", "-wal"]);
  yield scratch;
  copyDatabase(damagedFile, scratch, ["", "-wal"]);
  if (transplantFirstPage(scratch, fresh)) yield scratch;
  copyDatabase(damagedFile, scratch, [""]);
  yield scratch;
  copyDatabase(damagedFile, scratch, [""]);
  if (transplantFirstPage(scratch, fresh)) yield scratch;
}

function copyDatabase(from: string, to: string, suffixes: readonly string[]): void {
  removeDatabase(to);
  for (const suffix of suffixes) {
    if (existsSync(from + suffix)) copyReadable(from + suffix, to + suffix);
  }
}

export function removeDatabase(file: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
}

function withSource(file: string, read: (source: Database.Database) => void): void {
  let source: Database.Database | undefined;
  try {
    source = new Database(file, { fileMustExist: true });
    // Lets the good entries of a schema with a bad one be used.
    source.unsafeMode(true);
    source.pragma("writable_schema = ON");
    source.pragma("trusted_schema = OFF");
    source.pragma("cell_size_check = ON");
    read(source);
  } catch (error) {
    if (!isSourceFault(error)) throw error;
  } finally {
    try {
      source?.close();
    } catch {
      // It is a copy, and the next attempt makes its own.
    }
  }
}

/** A damaged file fails in many ways: as corrupt, as a syntax error in its schema, as too big a page number. */
function isSourceFault(error: unknown): boolean {
  return error instanceof Database.SqliteError || error instanceof TypeError || error instanceof RangeError;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** What its rows are ordered by, and can be found by. */
  readonly key: readonly string[];
  readonly hasRowid: boolean;
  /** Its rowid is none of its columns. */
  readonly hasUnnamedRowid: boolean;
}

/** All but `migrations`: which of them were applied is a matter of the fresh file's own schema. */
function tablesOf(db: Database.Database): Table[] {
  const list = db.pragma("table_list") as { name: string; type: string; wr: number; schema: string }[];
  return list
    .filter(
      ({ name, type, schema }) =>
        schema === "main" && type === "table" && !/^(sqlite_.*|migrations)$/.test(name),
    )
    .map(({ name, wr }) => {
      const columns = db.pragma(`table_info(${quote(name)})`) as { name: string; type: string; pk: number }[];
      const primary = columns.filter(({ pk }) => pk > 0);
      const key = primary.map((column) => column.name);
      const isRowidNamed = primary.length === 1 && primary[0]?.type === "INTEGER";
      return {
        name,
        columns: columns.map((column) => column.name),
        hasUnnamedRowid: wr === 0 && !isRowidNamed,
        key: wr === 1 ? key : ["rowid"],
        hasRowid: wr === 0,
      };
    });
}

function copyTable(source: Database.Database, fresh: Database.Database, table: Table): SalvagedTable {
  const writer = new RowWriter(fresh, table);
  let damaged = false;
  try {
    damaged = readTable(source, table, writer);
  } catch (error) {
    if (!isSourceFault(error)) throw error;
    damaged = true;
  }
  return { table: table.name, copied: writer.copied, refused: writer.refused, damaged };
}

/** Numbers that were given out once are not given out again, though their rows may be gone. */
function keepSequences(source: Database.Database, fresh: Database.Database): void {
  const update = fresh.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?");
  const insert = fresh.prepare(
    "INSERT INTO sqlite_sequence (name, seq) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
  );
  const autoincrement = new Set(
    fresh
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'",
      )
      .pluck()
      .all(),
  );
  try {
    const rows = source.prepare("SELECT name, seq FROM sqlite_sequence").iterate() as IterableIterator<Row>;
    for (const { name, seq } of rows) {
      if (typeof name !== "string" || !Number.isSafeInteger(seq) || !autoincrement.has(name)) continue;
      insert.run(name, 0, name);
      update.run(seq, name);
    }
  } catch (error) {
    // The numbers then go on after the highest row that was salvaged.
    if (!isSourceFault(error)) throw error;
  }
}

/** @returns whether something could not be read */
function readTable(source: Database.Database, table: Table, writer: RowWriter): boolean {
  const name = quote(table.name);
  const known = new Set(
    (source.pragma(`table_info(${name})`) as { name: string }[]).map((column) => column.name),
  );
  const columns = table.columns.filter((column) => known.has(column)).map(quote);
  if (columns.length === 0) return true;
  const order = (direction: string): string =>
    `ORDER BY ${table.key.map((column) => `${quote(column)} ${direction}`).join(", ")}`;
  const what = [...(table.hasRowid ? ["rowid AS rowid"] : []), ...columns].join(", ");
  const select = `SELECT ${what} FROM ${name} NOT INDEXED`;
  const add = (row: Row): void => writer.add(row);
  const addMissing = (row: Row): void => writer.addMissing(row);
  const first = table.hasRowid ? add : addMissing;
  const forward = readUntilDamage(source.prepare(`${select} ${order("ASC")}`), table, 1, first);
  if (!forward.damaged) return false;
  const backward = readUntilDamage(source.prepare(`${select} ${order("DESC")}`), table, -1, addMissing);
  if (table.hasRowid) {
    const from = (forward.last ?? 0) + 1;
    const to = (backward.last ?? from + maxProbes) - 1;
    probe(source.prepare(`${select} WHERE rowid = ?`), from, to, addMissing);
  }
  return true;
}

/** @returns the rowid of the last row in order */
function readUntilDamage(
  statement: Database.Statement,
  { hasRowid }: Table,
  direction: 1 | -1,
  take: (row: Row) => void,
): { damaged: boolean; last: number | undefined } {
  let last: number | undefined;
  let beforeLast: number | undefined;
  let count = 0;
  const rows = statement.iterate() as IterableIterator<Row>;
  for (;;) {
    let next: IteratorResult<Row>;
    try {
      next = rows.next();
    } catch (error) {
      if (!isSourceFault(error)) throw error;
      return { damaged: true, last };
    }
    if (next.done === true) return { damaged: false, last };
    const rowid = rowidOf(next.value);
    const isAstray = last !== undefined && rowid !== undefined && (rowid - last) * direction <= 0;
    count += 1;
    if (isAstray || (!hasRowid && count > maxRowsWithoutRowid)) {
      rows.return?.();
      // Which of the two is wrong nobody knows.
      return { damaged: true, last: isAstray ? beforeLast : last };
    }
    beforeLast = last;
    last = rowid;
    take(next.value);
  }
}

function probe(statement: Database.Statement, from: number, to: number, take: (row: Row) => void): void {
  const end = Math.min(to, from + maxProbes);
  for (let rowid = from; rowid <= end; rowid++) {
    let row: Row | undefined;
    try {
      row = statement.get(rowid) as Row | undefined;
    } catch (error) {
      if (!isSourceFault(error)) throw error;
    }
    if (row !== undefined) take(row);
  }
}

function rowidOf(row: Row | undefined): number | undefined {
  return typeof row?.rowid === "number" ? row.rowid : undefined;
}

/** Puts rows into the fresh table; one that its rules refuse is counted and left out. */
class RowWriter {
  copied = 0;
  refused = 0;
  private readonly fresh: Database.Database;
  private readonly table: Table;
  private readonly isThere: Database.Statement;
  private readonly statements = new Map<string, Database.Statement>();

  constructor(fresh: Database.Database, table: Table) {
    this.fresh = fresh;
    this.table = table;
    const where = table.key.map((column) => `${quote(column)} = ?`).join(" AND ");
    this.isThere = fresh.prepare(`SELECT 1 FROM ${quote(table.name)} WHERE ${where}`);
  }

  /** For one that may have been added before. */
  addMissing(row: Row): void {
    if (this.isThere.get(this.table.key.map((column) => row[column])) === undefined) this.add(row);
  }

  add(row: Row): void {
    const columns = this.table.columns.filter((column) => column in row);
    if (this.table.hasUnnamedRowid) columns.push("rowid");
    try {
      this.statement(columns).run(columns.map((column) => row[column]));
      this.copied += 1;
    } catch (error) {
      if (!isRowFault(error)) throw new SalvageError("salvaged rows cannot be written", { cause: error });
      this.refused += 1;
    }
  }

  private statement(columns: readonly string[]): Database.Statement {
    const names = columns.map(quote).join(", ");
    const known = this.statements.get(names);
    if (known !== undefined) return known;
    const marks = columns.map(() => "?").join(", ");
    const statement = this.fresh.prepare(
      `INSERT OR REPLACE INTO ${quote(this.table.name)} (${names}) VALUES (${marks})`,
    );
    this.statements.set(names, statement);
    return statement;
  }
}

function isRowFault(error: unknown): boolean {
  if (!(error instanceof Database.SqliteError)) return true;
  return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(error.code);
}

/** A child whose parent is lost: half of a record is worse than none. */
function dropOrphans(fresh: Database.Database): void {
  const orphans = fresh.pragma("foreign_key_check") as { table: string; rowid: number }[];
  for (const { table, rowid } of orphans) {
    fresh.prepare(`DELETE FROM ${quote(table)} WHERE rowid = ?`).run(rowid);
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
