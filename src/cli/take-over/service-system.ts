import { runCommand } from "../doctor/command-output.ts";
import { Supervisord } from "./supervisord.ts";

/** What starts and ends programs: systemd, and the supervisord of the original. */
export interface ServiceSystem {
  /** Its output; undefined where it is not there or takes too long. */
  systemctl(...args: readonly string[]): Promise<string | undefined>;
  /** @param supervisorctl the program that speaks to it */
  supervisord(supervisorctl: string): Pick<Supervisord, "states" | "update" | "start" | "stop">;
}

export const machineServices: ServiceSystem = {
  systemctl: (...args) => runCommand("systemctl", args, { acceptFailure: true, timeoutMs: 180_000 }),
  supervisord: (supervisorctl) => new Supervisord(supervisorctl),
};
