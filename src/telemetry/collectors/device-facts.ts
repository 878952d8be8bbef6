import { endianness, hostname, machine, networkInterfaces, release, type, version } from "node:os";
import type { DeviceFacts, MachineFacts, ReportedTime, UnameFacts } from "../device-info/facts.ts";
import {
  collectCpu,
  collectDefaultRoutes,
  collectDnsServers,
  collectFilesystems,
  collectInterfaces,
  collectMemory,
  collectStorage,
  collectTemperatures,
  collectUptimeS,
} from "./machine.ts";
import type { MachineFiles } from "./machine-files.ts";

/** What Node asks the kernel for: everything that is no file. */
export interface SystemCalls {
  readonly uname: UnameFacts;
  readonly littleEndian: boolean;
  /** Interface → addresses with prefix length. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

export interface DeviceFactsOptions {
  readonly engineVersion: string;
  readonly bootId: string;
  readonly machineFacts: MachineFacts | undefined;
  readonly time: ReportedTime;
  /** Wall clock, unix milliseconds. */
  readonly nowMs: number;
}

/** Reads what changes from the kernel's own files: no program is started, so it costs a few milliseconds. */
export async function collectDeviceFacts(
  files: MachineFiles,
  calls: SystemCalls,
  options: DeviceFactsOptions,
): Promise<DeviceFacts> {
  const [cpu, memory, filesystems, storage, interfaces, defaultRoutes, dnsServers, temperatures, uptimeS] =
    await Promise.all([
      collectCpu(files),
      collectMemory(files),
      collectFilesystems(files),
      collectStorage(files),
      collectInterfaces(files, calls.addresses),
      collectDefaultRoutes(files, calls.littleEndian),
      collectDnsServers(files),
      collectTemperatures(files),
      collectUptimeS(files),
    ]);
  return {
    uname: calls.uname,
    cpu,
    memory,
    filesystems,
    storage,
    interfaces,
    defaultRoutes,
    dnsServers,
    temperatures,
    time: options.time,
    bootId: options.bootId,
    bootTime: Math.round(options.nowMs / 1000) - uptimeS,
    uptimeS,
    engineVersion: options.engineVersion,
    nodeVersion: process.versions.node,
    machineFacts: options.machineFacts,
  };
}

/** The machine that this process runs on. */
export function systemCalls(): SystemCalls {
  const addresses = Object.entries(networkInterfaces()).map(
    ([name, list]) => [name, (list ?? []).flatMap(({ cidr }) => (cidr === null ? [] : [cidr]))] as const,
  );
  return {
    uname: {
      sysname: type(),
      hostname: hostname(),
      release: release(),
      version: version(),
      machine: machine(),
    },
    littleEndian: endianness() === "LE",
    addresses: new Map(addresses),
  };
}
