import type { TimeState } from "../device-info/facts.ts";
import type { MachineFiles } from "./machine-files.ts";

/** Runs a program and resolves to what it printed; undefined where there is none, or it failed. */
export type AskProgram = (command: string, args: readonly string[]) => Promise<string | undefined>;

/**
 * Whether the system's clock is synchronised. systemd-timesyncd leaves a file, which costs nothing to look for. Others
 * only tell the kernel, and what the kernel knows can be had from a program: systemd's, or BusyBox' adjtimex.
 */
export async function collectTimeState(
  files: MachineFiles,
  ask: AskProgram,
  { believesFile = true }: { readonly believesFile?: boolean } = {},
): Promise<TimeState> {
  if (believesFile && (await files.list("/run/systemd/timesync")).includes("synchronized")) {
    return { synchronised: true, source: "systemd-timesyncd" };
  }
  const systemd = await ask("timedatectl", ["show", "--property=NTPSynchronized", "--value"]);
  const word = systemd?.trim();
  if (word === "yes" || word === "no") return { synchronised: word === "yes", source: "timedatectl" };
  const kernel = (await ask("adjtimex", [])) ?? (await ask("busybox", ["adjtimex"]));
  const status = kernel === undefined ? undefined : parseAdjtimex(kernel);
  return status === undefined
    ? { synchronised: null, source: null }
    : { synchronised: status, source: "adjtimex" };
}

const staUnsync = 0x40;

/** The status word of `adjtimex`, BusyBox' (`status: 0x40 (UNSYNC)`) or Debian's (`status: 64`). */
export function parseAdjtimex(text: string): boolean | undefined {
  const found = /^\s*-?[sS]?\s*status:\s*(0x[0-9a-f]+|\d+)/im.exec(text)?.[1];
  return found === undefined ? undefined : (Number(found) & staUnsync) === 0;
}
