import { type FileHandle, open } from "node:fs/promises";
import { CommandError } from "./errors.ts";

/** One file of a log, held open: whatever becomes of its name, it can be read to its end. */
export interface OpenLog {
  readonly handle: FileHandle;
  /** Unambiguous among files that are held open. */
  readonly inode: number;
}

/** In the middle of a rotation one name is missing; at the end of the backups, all are. */
const missingNames = 2;

/**
 * The files of a log, the newest first: `app.log`, `app.log.1` … A rotation may go on meanwhile: files move to higher
 * numbers only, as this does, so none is passed over, and one that is met again is known by its inode.
 */
export async function* filesOfLog(file: string): AsyncGenerator<OpenLog, void> {
  const seen = new Set<number>();
  for (let number = 0, missing = 0; missing < missingNames; number++) {
    const found = await openLog(number === 0 ? file : `${file}.${number}`);
    if (found === undefined) {
      missing += 1;
    } else if (seen.has(found.inode)) {
      await found.handle.close();
    } else {
      missing = 0;
      seen.add(found.inode);
      yield found;
    }
  }
}

/** Undefined where there is none of that name. */
export async function openLog(file: string): Promise<OpenLog | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new CommandError(`cannot read ${file} (${code})`, { cause: error });
  }
  return { handle, inode: (await handle.stat()).ino };
}

export async function closeAll(logs: readonly OpenLog[]): Promise<void> {
  for (const { handle } of logs) await handle.close();
}
