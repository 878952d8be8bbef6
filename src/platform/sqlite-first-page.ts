import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type Database from "better-sqlite3";

const headerBytes = 100;

/**
 * Gives a copy of a damaged database the first page of a fresh one with the same schema. That page holds the file's
 * header and where each table begins: the same migrations put tables into the same places.
 *
 * @returns false where the file is too short to hold anything
 */
export function transplantFirstPage(file: string, fresh: Database.Database): boolean {
  const pageBytes = fresh.pragma("page_size", { simple: true }) as number;
  const fd = openSync(file, "r+");
  try {
    const { size } = fstatSync(fd);
    if (size < 2 * pageBytes) return false;
    const page = firstPage(fresh, pageBytes);
    if (page === undefined) return false;
    // The header must fit this file: its length in pages, no list of free pages, and both change counters alike.
    page.writeUInt32BE(Math.floor(size / pageBytes), 28);
    page.writeUInt32BE(0, 32);
    page.writeUInt32BE(0, 36);
    page.writeUInt32BE(page.readUInt32BE(24), 92);
    writeSync(fd, page, 0, page.length, 0);
    return true;
  } finally {
    closeSync(fd);
  }
}

function firstPage(fresh: Database.Database, pageBytes: number): Buffer | undefined {
  // Read from the file beneath: the caller has checkpointed the schema, and writes nothing into its first page since.
  const fd = openSync(fresh.name, "r");
  try {
    const page = Buffer.alloc(pageBytes);
    return readSync(fd, page, 0, pageBytes, 0) === pageBytes && page.length > headerBytes ? page : undefined;
  } finally {
    closeSync(fd);
  }
}
