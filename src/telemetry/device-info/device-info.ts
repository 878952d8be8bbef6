import type { DeviceFacts, UnameFacts } from "./facts.ts";
import { formatDf } from "./filesystems.ts";
import { formatFree } from "./memory.ts";

/**
 * The `device_info` dataport (spec: gateway-engine.md): four texts that a person reads in a monospaced block, and the
 * same and more as structured facts beside them (docs/telemetry.md).
 */
export function deviceInfo(facts: DeviceFacts): string {
  const { cpu, memory, time } = facts;
  return JSON.stringify({
    uname: formatUname(facts.uname),
    df: formatDf(facts.filesystems),
    free: formatFree(memory),
    ipaddrs: facts.interfaces
      .flatMap(({ name, addresses }) => addresses.map((address) => `${name} ${address}`))
      .join("\n"),
    engine: facts.engineVersion,
    node: facts.nodeVersion,
    hostname: facts.uname.hostname,
    kernel: facts.uname.release,
    arch: facts.uname.machine,
    ...facts.machineFacts,
    boot_id: facts.bootId,
    boot_time: facts.bootTime,
    uptime: facts.uptimeS,
    cpu: { model: cpu.model, cores: cpu.cores, load: cpu.load },
    memory: {
      total: memory.totalBytes,
      available: memory.availableBytes,
      free: memory.freeBytes,
      buff_cache: memory.buffCacheBytes,
      shared: memory.sharedBytes,
      swap_total: memory.swapTotalBytes,
      swap_free: memory.swapFreeBytes,
    },
    filesystems: facts.filesystems.map((filesystem) => ({
      source: filesystem.source,
      mount: filesystem.mountPoint,
      type: filesystem.type,
      read_only: filesystem.readOnly,
      total: filesystem.totalBytes,
      used: filesystem.usedBytes,
      available: filesystem.availableBytes,
      inodes: filesystem.inodes,
      inodes_used: filesystem.usedInodes,
    })),
    storage: facts.storage.map(({ name, model, sizeBytes, wornPercent, reserve }) => ({
      name,
      model,
      size: sizeBytes,
      worn_percent: wornPercent,
      reserve,
    })),
    interfaces: facts.interfaces.map(({ name, mac, state, speedMbit, mtu, addresses }) => ({
      name,
      mac,
      state,
      speed_mbit: speedMbit,
      mtu,
      addresses,
    })),
    default_routes: facts.defaultRoutes,
    dns: facts.dnsServers,
    temperatures: facts.temperatures,
    time: {
      synchronised: time.synchronised,
      source: time.source,
      trusted_by: time.trustedBy,
      off_s: time.wallErrorMs === null ? null : Math.round(time.wallErrorMs / 1000),
    },
  });
}

/** The facts whose change is worth a report of its own: not how full a disk is, but that there is another one. */
export function lastingFacts(facts: DeviceFacts): string {
  return JSON.stringify([
    formatUname(facts.uname),
    // Devices only: memory file systems come and go with every login.
    facts.filesystems
      .filter(({ source }) => source.startsWith("/"))
      .map(({ source, mountPoint, totalBytes, readOnly }) => [source, mountPoint, totalBytes, readOnly]),
    facts.storage.map(({ name, model, wornPercent, reserve }) => [name, model, wornPercent, reserve]),
    facts.memory.totalBytes,
    facts.interfaces.map(({ name, mac, addresses }) => [name, mac, addresses]),
    // Metrics and learned routes change by themselves; the way out is what an operator asks for.
    facts.defaultRoutes.slice(0, 1).map((route) => [route.interface, route.gateway]),
    facts.dnsServers,
    facts.time.synchronised,
    facts.bootId,
    facts.engineVersion,
    facts.nodeVersion,
    facts.machineFacts,
  ]);
}

function formatUname({ sysname, hostname, release, version, machine }: UnameFacts): string {
  return `${sysname} ${hostname} ${release} ${version} ${machine} GNU/Linux`;
}
