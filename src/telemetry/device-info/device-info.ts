import { type FilesystemUsage, formatDf } from "./filesystems.ts";
import { formatFree, type MemoryUsage } from "./memory.ts";

export interface InterfaceAddress {
  readonly iface: string;
  /** With prefix length: `192.168.1.7/24`. */
  readonly cidr: string;
}

export interface UnameFacts {
  readonly sysname: string;
  readonly hostname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

/** What is asked of the machine once, since asking is dear; undefined until it is known. */
export interface MachineFacts {
  readonly os: { readonly distro: string; readonly release: string; readonly codename: string };
  readonly machine: { readonly manufacturer: string; readonly model: string; readonly serial: string };
}

export interface DeviceFacts {
  readonly uname: UnameFacts;
  readonly filesystems: readonly FilesystemUsage[];
  readonly memory: MemoryUsage;
  readonly addresses: readonly InterfaceAddress[];
  readonly bootId: string;
  readonly engineVersion: string;
  readonly nodeVersion: string;
  readonly machineFacts: MachineFacts | undefined;
}

/**
 * The `device_info` dataport (spec: gateway-engine.md): four texts that a person reads in a monospaced block, and
 * structured facts beside them.
 */
export function deviceInfo(facts: DeviceFacts): string {
  return JSON.stringify({
    uname: formatUname(facts.uname),
    df: formatDf(facts.filesystems),
    free: formatFree(facts.memory),
    ipaddrs: facts.addresses.map(({ iface, cidr }) => `${iface} ${cidr}`).join("\n"),
    boot_id: facts.bootId,
    engine: facts.engineVersion,
    node: facts.nodeVersion,
    ...facts.machineFacts,
  });
}

/** The facts whose change is worth a report of its own: not how full a disk is, but that there is another one. */
export function lastingFacts(facts: DeviceFacts): string {
  return JSON.stringify([
    formatUname(facts.uname),
    // Devices only: memory file systems come and go with every login.
    facts.filesystems
      .filter(({ source }) => source.startsWith("/"))
      .map(({ source, mountPoint, totalBytes }) => [source, mountPoint, totalBytes]),
    facts.memory.totalBytes,
    facts.addresses.map(({ iface, cidr }) => [iface, cidr]),
    facts.bootId,
    facts.engineVersion,
    facts.nodeVersion,
    facts.machineFacts,
  ]);
}

function formatUname({ sysname, hostname, release, version, machine }: UnameFacts): string {
  return `${sysname} ${hostname} ${release} ${version} ${machine} GNU/Linux`;
}
