import type { FilesystemUsage } from "./filesystems.ts";
import type { MemoryUsage } from "./memory.ts";

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

export interface CpuFacts {
  /** Empty where the kernel does not say. */
  readonly model: string;
  readonly cores: number;
  /** Averages of 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number];
}

export interface NetworkInterface {
  readonly name: string;
  /** Upper case with colons; null where it has none (ppp, tun). */
  readonly mac: string | null;
  /** The kernel's word: `up`, `down`, `dormant`, `unknown` (ppp says nothing else), … */
  readonly state: string;
  /** Null where the driver does not tell, and while there is no link. */
  readonly speedMbit: number | null;
  readonly mtu: number | null;
  /** With prefix length: `192.168.1.7/24`. */
  readonly addresses: readonly string[];
}

export interface DefaultRoute {
  readonly interface: string;
  /** Null on a point-to-point link. */
  readonly gateway: string | null;
  /** The lowest is used. */
  readonly metric: number;
}

export interface StorageDevice {
  /** The kernel's name: `mmcblk0`. */
  readonly name: string;
  readonly model: string;
  readonly sizeBytes: number;
  /** Per cent of the guaranteed life that is used up, in steps of ten, 110: beyond it. Null where it does not tell. */
  readonly wornPercent: number | null;
  /** `normal`, `warning` (80 % of the reserve blocks used), `urgent` (90 %); null where it does not tell. */
  readonly reserve: "normal" | "warning" | "urgent" | null;
}

export interface Temperature {
  readonly sensor: string;
  readonly celsius: number;
}

export interface TimeState {
  /** Null where nobody says. */
  readonly synchronised: boolean | null;
  /** Who says so: `systemd-timesyncd`, `timedatectl`, `adjtimex`; null where nobody does. */
  readonly source: string | null;
}

/** What `device_info` tells of the clock. */
export interface ReportedTime extends TimeState {
  /** Who told the engine the true time (docs/clock.md); null while nobody has. */
  readonly trustedBy: string | null;
  /** How far the system's clock is from it, milliseconds; null likewise. */
  readonly wallErrorMs: number | null;
}

/** All that `device_info` is made of. */
export interface DeviceFacts {
  readonly uname: UnameFacts;
  readonly cpu: CpuFacts;
  readonly memory: MemoryUsage;
  readonly filesystems: readonly FilesystemUsage[];
  readonly storage: readonly StorageDevice[];
  readonly interfaces: readonly NetworkInterface[];
  readonly defaultRoutes: readonly DefaultRoute[];
  readonly dnsServers: readonly string[];
  readonly temperatures: readonly Temperature[];
  readonly time: ReportedTime;
  readonly bootId: string;
  /** Unix seconds, by the wall clock of now. */
  readonly bootTime: number;
  readonly uptimeS: number;
  readonly engineVersion: string;
  readonly nodeVersion: string;
  readonly machineFacts: MachineFacts | undefined;
}
