import { type FileHandle, open } from "node:fs/promises";
import { CommandError } from "./errors.ts";

/** One file of a log, held open: whatever becomes of its name, it can be read to its end. */
export interface OpenLog {
  readonly handle: FileHandle;
  /** Unambiguous among files that are held open. */
  readonly inode: number;
}

/** A rotation that goes on leaves one name out at a time, several of them perhaps several; after the last, all are. */
const missingNames = 8;

/**
 * The files of a log, the newest first: `app.log`, `app.log.1` …, up to the one that is the end, which is left out. A
 * rotation may go on meanwhile: files move to higher numbers only, as this does, so none is passed over. One that is met
 * again, known by its inode, tells that those met since came after it: they are left to the next look.
 */
export async function filesOfLog(
  file: string,
  isEnd: (log: OpenLog) => Promise<boolean> = async () => false,
): Promise<readonly OpenLog[]> {
  const logs: OpenLog[] = [];
  for (let number = 0, missing = 0; missing < missingNames; number++) {
    const found = await openLog(number === 0 ? file : `${file}.${number}`);
    missing = found === undefined ? missing + 1 : 0;
    if (found === undefined) continue;
    const before = logs.findIndex(({ inode }) => inode === found.inode);
    if (before >= 0) {
      await closeAll([found, ...logs.splice(before + 1)]);
    } else if (await isEnd(found)) {
      await found.handle.close();
      return logs;
    } else {
      logs.push(found);
    }
  }
  return logs;
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
