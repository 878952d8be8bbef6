/** Another wall clock for processes that a test starts: Debian's `libfaketime`. Other clocks stay true. */
import { existsSync, globSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temp-directory.ts";

const library = "/usr/lib/*/faketime/libfaketimeMT.so.1";

/** What the library makes for each process it is loaded into, named by its pid; a process that is killed leaves it. */
const shared = "/dev/shm/{faketime_shm_,sem.faketime_sem_}*";
/** Processes that a dead one started may still look for what was that one's. */
const inUseMs = 600_000;

class MissingLibraryError extends Error {
  override readonly name = "MissingLibraryError";
}

export class FakedClock {
  private readonly file = join(temporaryDirectory(), "clock");
  private aheadMs = 0;

  /** @param nowMs what it says now, unix milliseconds */
  constructor(nowMs: number) {
    removeLeftovers();
    this.set(nowMs);
  }

  /** Sets it, for processes that run already too. */
  set(nowMs: number): void {
    this.aheadMs = nowMs - Date.now();
    const sign = this.aheadMs < 0 ? "-" : "+";
    // Read at any time: never half written.
    writeFileSync(`${this.file}.new`, `${sign}${(Math.abs(this.aheadMs) / 1000).toFixed(3)}\n`);
    renameSync(`${this.file}.new`, this.file);
  }

  now(): number {
    return Date.now() + this.aheadMs;
  }

  /** For the processes that are to live by it. @throws MissingLibraryError */
  get environment(): Readonly<Record<string, string>> {
    const [found] = globSync(library);
    if (found === undefined)
      throw new MissingLibraryError(`${library} is missing: install Debian's faketime`);
    return {
      LD_PRELOAD: found,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
  }
}

/** A process whose pid was that of a killed one could not start. */
function removeLeftovers(): void {
  for (const file of globSync(shared)) {
    if (existsSync(`/proc/${file.slice(file.lastIndexOf("_") + 1)}`)) continue;
    const madeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (madeMs !== undefined && Date.now() - madeMs > inUseMs) rmSync(file, { force: true });
  }
}
