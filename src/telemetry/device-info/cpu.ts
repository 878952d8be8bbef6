import type { CpuFacts } from "./facts.ts";

/** Parses `/proc/cpuinfo` and `/proc/loadavg`; ARM and MIPS name their processor by other keys than x86. */
export function parseCpu(cpuinfo: string, loadavg: string): CpuFacts {
  const wordOf = (key: string): string =>
    new RegExp(`^${key}[ \\t]*: *(.+)$`, "mi").exec(cpuinfo)?.[1]?.trim() ?? "";
  const keys = ["model name", "cpu model", "Model", "Hardware", "Processor", "uarch"];
  const model = keys.map(wordOf).find((value) => value !== "" && !/^\d+$/.test(value)) ?? "";
  const [one = 0, five = 0, fifteen = 0] = loadavg.split(" ").map(Number);
  return {
    model,
    // "processor" stands once a core, and in lower case: old ARM kernels have a "Processor" that names the model.
    cores: Math.max(1, [...cpuinfo.matchAll(/^processor[ \t]*:/gm)].length),
    load: [one, five, fifteen],
  };
}

/** Seconds since boot, from `/proc/uptime`. */
export function parseUptime(text: string): number {
  const seconds = Number.parseFloat(text);
  return Number.isFinite(seconds) ? Math.floor(seconds) : 0;
}
