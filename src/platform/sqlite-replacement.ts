import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type Database from "better-sqlite3";
import { fsyncDirectory, writeFileAtomic } from "./files.ts";
import { removeDatabase, type SalvagedTable, salvage } from "./sqlite-salvage.ts";

/** What became of a damaged database. */
export interface Replacement {
  /** Where the damaged file lies now. */
  readonly setAside: string;
  readonly reason: string;
  /** What was copied; undefined when a power cut came between the copying and the report. */
  readonly tables: readonly SalvagedTable[] | undefined;
}

export interface ReplaceOptions {
  readonly file: string;
  readonly reason: string;
  readonly now: number;
  readonly createFresh: (file: string) => Database.Database;
  readonly afterSalvage: readonly string[];
}

const suffixes = ["", "-wal", "-shm"];
const freshOf = (file: string): string => `${file}.fresh`;
const markOf = (file: string): string => `${file}.suspect`;

/** Notes durably that a database is damaged: the next start replaces it. */
export function markSuspect(file: string, reason: string): void {
  writeFileAtomic(markOf(file), `${reason}\n`, { mode: 0o600 });
}

export function isSuspect(file: string): boolean {
  return existsSync(markOf(file));
}

/**
 * Puts a fresh database with all that can be read of the damaged one in its place. A power cut at any point leaves
 * either the mark, so that the next start begins anew, or a complete fresh file, which `finishReplacement` puts in
 * place.
 */
export function replaceDamaged(options: ReplaceOptions): Replacement {
  const { file, reason, now } = options;
  markSuspect(file, reason);
  const tables = buildFresh(options);
  const setAside = unusedName(`${file}.corrupt-${now}`);
  moveDatabase(file, setAside);
  putInPlace(file);
  return { setAside, reason, tables };
}

/** Goes on where a power cut interrupted `replaceDamaged` after the damaged file had been set aside. */
export function finishReplacement(file: string): Replacement | undefined {
  if (existsSync(file) || !isSuspect(file) || !existsSync(freshOf(file))) return undefined;
  const directory = dirname(file);
  const setAside = readdirSync(directory)
    .filter((name) => name.startsWith(`${basename(file)}.corrupt-`) && !/-(wal|shm)$/.test(name))
    .map((name) => join(directory, name))
    .sort()
    .at(-1);
  // Its log, were it left here, would be replayed into the fresh file.
  if (setAside !== undefined) moveDatabase(file, setAside);
  putInPlace(file);
  return { setAside: setAside ?? directory, reason: "it was damaged", tables: undefined };
}

function buildFresh({ file, createFresh, afterSalvage }: ReplaceOptions): readonly SalvagedTable[] {
  const fresh = freshOf(file);
  removeDatabase(fresh);
  const db = createFresh(fresh);
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
    const tables = salvage(file, db, `${file}.scratch`);
    for (const sql of afterSalvage) db.exec(sql);
    return tables;
  } finally {
    // The last connection to close brings the log into the file and removes it.
    db.close();
  }
}

function moveDatabase(from: string, to: string): void {
  for (const suffix of suffixes) {
    if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  }
  fsyncDirectory(dirname(from));
}

function putInPlace(file: string): void {
  renameSync(freshOf(file), file);
  fsyncDirectory(dirname(file));
  rmSync(markOf(file), { force: true });
  fsyncDirectory(dirname(file));
}

function unusedName(name: string): string {
  let candidate = name;
  for (let number = 2; existsSync(candidate); number++) candidate = `${name}-${number}`;
  return candidate;
}
