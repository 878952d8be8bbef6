import { readFileSync } from "node:fs";

export interface Memory {
  readonly rssMb: number;
  readonly privateDirtyMb: number;
}

/** From the kernel's `smaps_rollup`, in units of 1 000 000 bytes. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return { rssMb: (kb("Rss") * 1024) / 1e6, privateDirtyMb: (kb("Private_Dirty") * 1024) / 1e6 };
}
