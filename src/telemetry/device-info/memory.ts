/** Bytes; as `/proc/meminfo` tells. */
export interface MemoryUsage {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly availableBytes: number;
  readonly sharedBytes: number;
  readonly buffCacheBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

/** Parses `/proc/meminfo`; a line that is missing (old kernels lack MemAvailable) counts as 0 or as what is free. */
export function parseMeminfo(text: string): MemoryUsage {
  const values = new Map<string, number>();
  for (const match of text.matchAll(/^([^:\s]+):\s+(\d+)(?: kB)?$/gm)) {
    values.set(match[1] ?? "", Number(match[2]) * 1024);
  }
  const of = (name: string): number => values.get(name) ?? 0;
  const buffCacheBytes = of("Buffers") + of("Cached") + of("SReclaimable");
  return {
    totalBytes: of("MemTotal"),
    freeBytes: of("MemFree"),
    availableBytes: values.get("MemAvailable") ?? of("MemFree") + buffCacheBytes,
    sharedBytes: of("Shmem"),
    buffCacheBytes,
    swapTotalBytes: of("SwapTotal"),
    swapFreeBytes: of("SwapFree"),
  };
}

/** As `free -m` prints. */
export function formatFree(memory: MemoryUsage): string {
  const mib = (bytes: number): string => String(Math.floor(bytes / 1024 / 1024));
  const row = (label: string, cells: readonly string[]): string =>
    label.padEnd(8) +
    cells
      .map((cell) => cell.padStart(12))
      .join("")
      .slice(0);
  const used = Math.max(0, memory.totalBytes - memory.availableBytes);
  return [
    row("", ["total", "used", "free", "shared", "buff/cache", "available"]),
    row(
      "Mem:",
      [
        memory.totalBytes,
        used,
        memory.freeBytes,
        memory.sharedBytes,
        memory.buffCacheBytes,
        memory.availableBytes,
      ].map(mib),
    ),
    row(
      "Swap:",
      [memory.swapTotalBytes, memory.swapTotalBytes - memory.swapFreeBytes, memory.swapFreeBytes].map(mib),
    ),
  ].join("\n");
}
