import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** A process for good: a pid alone may be recycled, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/<pid>/stat. */
  readonly startTicks: number;
}

/** Start time of a process in clock ticks after boot; undefined when there is none (zombies count as none). */
export function processStartTicks(pid: number): number | undefined {
  return startTicksOf(statFields(pid));
}

/** Where in /proc/<pid>/stat, counted from the state, which is 0. */
const startField = 19;

/** Tells how one process is, as often as it is asked. */
export interface ProcessStateReader {
  /**
   * The letter of /proc/<pid>/stat: `S` sleeps, `R` runs, `T` was stopped, as by SIGSTOP, and waits for SIGCONT …;
   * undefined for what is dead.
   */
  state(): string | undefined;
  close(): void;
}

/** As much of /proc/<pid>/stat as holds number, name (15 bytes at most, in parentheses) and state. */
const stateBytes = 64;

/**
 * For a process that is looked at again and again: each time is one call of the system. What is open is of this very
 * process, whoever gets its number later. Undefined where it is dead.
 */
export function openProcessState({ pid, startTicks }: ProcessIdentity): ProcessStateReader | undefined {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/stat`, "r");
  } catch {
    return undefined; // There is none.
  }
  if (processStartTicks(pid) !== startTicks) {
    closeSync(fd);
    return undefined;
  }
  const start = Buffer.alloc(stateBytes);
  return {
    state: () => {
      try {
        readSync(fd, start, 0, stateBytes, 0);
      } catch {
        return undefined; // ESRCH: it is gone.
      }
      const letter = String.fromCharCode(start[start.lastIndexOf(")") + 2] ?? 0);
      return letter === "Z" || letter === "X" ? undefined : letter;
    },
    close: () => closeSync(fd),
  };
}

function startTicksOf(fields: readonly string[]): number | undefined {
  const [state] = fields;
  if (state === undefined || state === "Z" || state === "X") return undefined;
  const value = Number(fields[startField]);
  return Number.isFinite(value) ? value : undefined;
}

/** Of /proc/<pid>/stat, from the state on; none when there is no such process. */
function statFields(pid: number): readonly string[] {
  try {
    // Node reads text in this encoding, and in no other, in one go.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and parentheses: fields are counted from the last ')'.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

export function isSameProcessAlive(process: ProcessIdentity): boolean {
  return processStartTicks(process.pid) === process.startTicks;
}

/**
 * The living processes that were started with all of these environment variables, wherever in the tree of processes
 * they are by now. One that was started with another environment, or may not be looked at, is not found.
 */
export function processesMarked(marks: Readonly<Record<string, string>>): readonly number[] {
  const entries = Object.entries(marks).map(([name, value]) => `${name}=${value}`);
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      // Of the dead there is none to read.
      const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      return entries.every((entry) => environment.includes(entry)) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Sends a signal to every process with these marks. */
export function signalMarked(marks: Readonly<Record<string, string>>, signal: NodeJS.Signals): void {
  for (const pid of processesMarked(marks)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Identifies this boot of the machine; differs after every reboot. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}
