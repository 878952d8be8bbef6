import type { KernelCounters } from "../usage/accumulate.ts";
import { parseNetDev } from "../usage/parse-counters.ts";
import { machineFiles } from "./machine-files.ts";

/** Of every interface that the kernel has now; none where it does not tell. */
export async function readCounters(files = machineFiles): Promise<readonly KernelCounters[]> {
  const rows = parseNetDev((await files.read("/proc/net/dev")) ?? "");
  return Promise.all(
    rows.map(async (row) => ({
      ...row,
      ifindex: Number((await files.read(`/sys/class/net/${row.name}/ifindex`)) ?? 0),
    })),
  );
}
