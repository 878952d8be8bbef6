import { readdirSync, readFileSync } from "node:fs";

/** A process for good: a pid alone may be recycled, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/<pid>/stat. */
  readonly startTicks: number;
}

/** Start time of a process in clock ticks after boot; undefined when there is none (zombies count as none). */
export function processStartTicks(pid: number): number | undefined {
  return statField(pid, 19);
}

/** Whether a process has been stopped, as by SIGSTOP, and waits for SIGCONT. */
export function isStopped(process: ProcessIdentity): boolean {
  if (processStartTicks(process.pid) !== process.startTicks) return false;
  return statFields(process.pid)[0] === "T";
}

function processGroup(pid: number): number | undefined {
  return statField(pid, 2);
}

/** A number in /proc/<pid>/stat, counted from the state, which is 0; undefined for what is dead. */
function statField(pid: number, index: number): number | undefined {
  const fields = statFields(pid);
  if (fields[0] === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  const value = Number(fields[index]);
  return Number.isFinite(value) ? value : undefined;
}

/** Of /proc/<pid>/stat, from the state on; none when there is no such process. */
function statFields(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
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
 * Whether a process group has a living member that was started with this environment variable. The number of a group
 * whose leader has ended may be another's by now: the variable tells it apart.
 */
export function isGroupAlive(
  leader: number,
  variable: { readonly name: string; readonly value: string },
): boolean {
  const entry = `${variable.name}=${variable.value}`;
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name) || processGroup(Number(name)) !== leader) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(entry);
    } catch {
      // Gone meanwhile, or none that we may look at.
      return false;
    }
  });
}

/** Identifies this boot of the machine; differs after every reboot. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}
