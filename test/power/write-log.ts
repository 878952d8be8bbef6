/**
 * The log of everything that was written to a disk, in the format of Linux' dm-log-writes as QEMU's `blklogwrites` writes
 * it (Documentation/admin-guide/device-mapper/log-writes.rst, block/blklogwrites.c): a super block in the first sector,
 * then for each entry a sector with its header, followed by its data.
 */
import { readFileSync } from "node:fs";
import { RigError } from "./errors.ts";

/** Also the unit in which a disk's own writes are whole or not. */
export const sectorBytes = 512;
const magic = 0x6a736677736872n;
const flags = { flush: 1n, fua: 2n, discard: 4n, mark: 8n } as const;

export type LogEntry =
  | {
      readonly kind: "write";
      /** Where on the disk, bytes. */
      readonly offset: number;
      readonly data: Buffer;
      readonly end: number;
    }
  | { readonly kind: "discard"; readonly offset: number; readonly bytes: number; readonly end: number }
  /** Everything before it is on the disk for good. `end`, as everywhere here: bytes of the log up to the entry's own last. */
  | { readonly kind: "flush"; readonly end: number };

/** @throws RigError when it is no such log, or one that ends in the middle of an entry */
export function readWriteLog(file: string): readonly LogEntry[] {
  return parseWriteLog(readFileSync(file));
}

export function parseWriteLog(log: Buffer): readonly LogEntry[] {
  if (log.length < sectorBytes || log.readBigUInt64LE(0) !== magic) throw new RigError("not a write log");
  const announced = Number(log.readBigUInt64LE(16));
  if (log.readUInt32LE(24) !== sectorBytes) throw new RigError("a write log of another sector size");
  const entries: LogEntry[] = [];
  for (let at = sectorBytes; at < log.length; ) {
    if (at + sectorBytes > log.length) throw new RigError("the write log ends in the middle of a header");
    const sector = Number(log.readBigUInt64LE(at));
    const bytes = Number(log.readBigUInt64LE(at + 8)) * sectorBytes;
    const kind = log.readBigUInt64LE(at + 16);
    const data = at + sectorBytes;
    if ((kind & ~flags.flush & ~flags.discard) !== 0n) {
      throw new RigError(`the write log holds an entry of an unknown kind (${kind})`);
    }
    const end = data + ((kind & flags.discard) === 0n ? bytes : 0);
    if (end > log.length) throw new RigError("the write log ends in the middle of an entry");
    const offset = sector * sectorBytes;
    if ((kind & flags.discard) !== 0n) entries.push({ kind: "discard", offset, bytes, end });
    else if (bytes > 0) entries.push({ kind: "write", offset, data: log.subarray(data, end), end });
    if ((kind & flags.flush) !== 0n) entries.push({ kind: "flush", end });
    at = end;
  }
  if (announced > entries.length) {
    throw new RigError(`the write log announces ${announced} entries and holds ${entries.length}`);
  }
  return entries;
}
