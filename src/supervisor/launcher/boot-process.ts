import type { ProcessIdentity } from "../../platform/process-table.ts";

/** A process of a known boot: after a reboot both pid and start time may come up again. */
export interface BootProcess extends ProcessIdentity {
  readonly bootId: string;
}

/** `pid:ticks:boot`, as launchers write it; undefined for anything else. */
export function parseIdentity(text: string): BootProcess | undefined {
  const match = /^(\d{1,10}):(\d{1,15}):([0-9a-f-]{36})\s*$/.exec(text);
  return match?.[3] === undefined
    ? undefined
    : { pid: Number(match[1]), startTicks: Number(match[2]), bootId: match[3] };
}

export function renderIdentity({ pid, startTicks, bootId }: BootProcess): string {
  return `${pid}:${startTicks}:${bootId}\n`;
}
