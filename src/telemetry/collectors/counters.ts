import { readFileSync } from "node:fs";
import type { KernelCounters } from "../usage/accumulate.ts";
import { parseNetDev } from "../usage/parse-counters.ts";

/**
 * Of every interface that the kernel has now; none where it does not tell. At once: these are no real files, and asked
 * at every check-in.
 */
export function readCounters(read = readKernelFile): readonly KernelCounters[] {
  return parseNetDev(read("/proc/net/dev") ?? "").map((row) => ({
    ...row,
    ifindex: Number(read(`/sys/class/net/${row.name}/ifindex`) ?? 0),
  }));
}

/** Undefined where there is none. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // An interface may have gone since it was listed.
  }
}
