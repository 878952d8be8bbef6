/**
 * supervisord looks at a file's size after each read, of at most 128 KiB, so its files exceed `maxBytes` by less than
 * that. The same room is used here to end a file with a whole line.
 */
export const maxOverrunBytes = 128 * 1024;

const lineFeed = 0x0a;

/** What of a chunk still goes into the current file. */
export interface Part {
  /** At least 1 for a chunk that is not empty. */
  readonly length: number;
  /** The file is rotated before anything else is written. */
  readonly isFull: boolean;
}

/**
 * A file is full with the line that takes it to `maxBytes`. A line that ends only `maxOverrunBytes` later is cut.
 *
 * @param size of the current file, bytes
 * @param maxBytes 0: never full
 */
export function nextPart(chunk: Uint8Array, size: number, maxBytes: number): Part {
  if (maxBytes === 0 || size + chunk.length < maxBytes) return { length: chunk.length, isFull: false };
  const end = chunk.indexOf(lineFeed, Math.max(0, maxBytes - size - 1)) + 1;
  const room = Math.max(0, maxBytes + maxOverrunBytes - size);
  if (end > 0 && (end <= room || room === 0)) return { length: end, isFull: true };
  if (room === 0) return { length: chunk.length, isFull: true };
  return chunk.length < room ? { length: chunk.length, isFull: false } : { length: room, isFull: true };
}

/** `app.log` for 0, `app.log.1` for 1, the newest backup, and so on. */
export function backupName(file: string, number: number): string {
  return number === 0 ? file : `${file}.${number}`;
}
