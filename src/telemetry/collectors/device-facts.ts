import { readFile, statfs } from "node:fs/promises";
import { hostname, machine, networkInterfaces, release, type, version } from "node:os";
import type { DeviceFacts, InterfaceAddress, MachineFacts } from "../device-info/device-info.ts";
import { type FilesystemUsage, parseMounts } from "../device-info/filesystems.ts";
import { parseMeminfo } from "../device-info/memory.ts";

export interface DeviceFactsOptions {
  readonly engineVersion: string;
  readonly bootId: string;
  readonly machineFacts: MachineFacts | undefined;
}

/** Reads what changes from the kernel's own files: no program is started, so it costs about a millisecond. */
export async function collectDeviceFacts(options: DeviceFactsOptions): Promise<DeviceFacts> {
  const [mounts, meminfo] = await Promise.all([
    readFile("/proc/self/mounts", "utf8"),
    readFile("/proc/meminfo", "utf8"),
  ]);
  return {
    uname: {
      sysname: type(),
      hostname: hostname(),
      release: release(),
      version: version(),
      machine: machine(),
    },
    filesystems: await usages(mounts),
    memory: parseMeminfo(meminfo),
    addresses: addresses(),
    bootId: options.bootId,
    engineVersion: options.engineVersion,
    nodeVersion: process.versions.node,
    machineFacts: options.machineFacts,
  };
}

async function usages(mounts: string): Promise<readonly FilesystemUsage[]> {
  const rows = await Promise.all(
    parseMounts(mounts).map(async ({ source, mountPoint }) => {
      try {
        const stats = await statfs(mountPoint);
        // df leaves out what has no blocks at all.
        if (stats.blocks === 0) return [];
        const totalBytes = stats.blocks * stats.bsize;
        const usedBytes = totalBytes - stats.bfree * stats.bsize;
        return [{ source, mountPoint, totalBytes, usedBytes, availableBytes: stats.bavail * stats.bsize }];
      } catch {
        // Unmounted meanwhile, or not ours to see: df prints no row for it either.
        return [];
      }
    }),
  );
  return rows.flat();
}

function addresses(): readonly InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([iface, list]) =>
    (list ?? []).flatMap(({ cidr }) => (cidr === null ? [] : [{ iface, cidr }])),
  );
}
