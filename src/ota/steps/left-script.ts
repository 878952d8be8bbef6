import { type ScriptMarks, scriptMarks } from "../installer-environment.ts";
import type { OtaDependencies } from "../ports.ts";
import type { InstallerProcess } from "../state-machine.ts";

/** Whose script it is, and what its attendant keeps of it. */
export interface LeftScript extends ScriptMarks {
  readonly attendant: InstallerProcess;
  /** Undefined where there is no attendant: the process is the script's own. */
  readonly runDirectory: string | undefined;
}

/**
 * Ends a script with its attendant and with what it started, which may have outlived it. After a reboot its pid means
 * nothing.
 */
export async function endLeftScript(
  { platform, clock, limits }: Pick<OtaDependencies, "platform" | "clock" | "limits">,
  { attendant, runDirectory, ...owner }: LeftScript,
): Promise<void> {
  if (attendant.bootId !== platform.bootId()) return;
  const marks = scriptMarks(owner);
  const isLeft = (): boolean =>
    platform.isSameProcessAlive(attendant) || platform.processesMarked(marks).length > 0;
  const signalAll = (signal: NodeJS.Signals): void => {
    // Without its leader, the number of a group may be another's by now.
    if (platform.isSameProcessAlive(attendant)) platform.signalGroup(attendant.pid, signal);
    const group = runDirectory === undefined ? undefined : platform.attendedGroup(runDirectory);
    if (group !== undefined && platform.processesMarked(marks).includes(group)) {
      platform.signalGroup(group, signal);
    }
    platform.signalMarked(marks, signal);
  };
  if (!isLeft()) return;
  signalAll("SIGTERM");
  const startedAt = clock.monotonic();
  while (isLeft() && clock.monotonic() - startedAt < limits.installerKillAfterMs) await clock.sleep(50);
  while (isLeft()) {
    signalAll("SIGKILL");
    await clock.sleep(10);
  }
}
