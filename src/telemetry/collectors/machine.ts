import { parseCpu, parseUptime } from "../device-info/cpu.ts";
import type {
  CpuFacts,
  DefaultRoute,
  NetworkInterface,
  StorageDevice,
  Temperature,
} from "../device-info/facts.ts";
import { type FilesystemUsage, parseMounts } from "../device-info/filesystems.ts";
import { parseInterface } from "../device-info/interfaces.ts";
import { type MemoryUsage, parseMeminfo } from "../device-info/memory.ts";
import { parseDefaultRoutes, parseResolvConf } from "../device-info/routes.ts";
import { isStorage, parseStorage } from "../device-info/storage.ts";
import { parseTemperature } from "../device-info/temperatures.ts";
import type { MachineFiles } from "./machine-files.ts";

/** More of one kind (a container host's interfaces) would fill the dataport and help nobody. */
const mostOfAKind = 64;

export async function collectCpu(files: MachineFiles): Promise<CpuFacts> {
  const [cpuinfo = "", loadavg = ""] = await Promise.all([
    files.read("/proc/cpuinfo"),
    files.read("/proc/loadavg"),
  ]);
  return parseCpu(cpuinfo, loadavg);
}

export async function collectUptimeS(files: MachineFiles): Promise<number> {
  return parseUptime((await files.read("/proc/uptime")) ?? "");
}

export async function collectMemory(files: MachineFiles): Promise<MemoryUsage> {
  return parseMeminfo((await files.read("/proc/meminfo")) ?? "");
}

export async function collectFilesystems(files: MachineFiles): Promise<readonly FilesystemUsage[]> {
  const mounts = parseMounts((await files.read("/proc/self/mounts")) ?? "").slice(0, mostOfAKind);
  const rows = await Promise.all(
    mounts.map(async ({ source, mountPoint, type, readOnly }): Promise<FilesystemUsage[]> => {
      const counts = await files.usage(mountPoint);
      // df leaves out what has no blocks at all.
      if (counts === undefined || counts.blocks === 0) return [];
      const { blockBytes, blocks, freeBlocks, availableBlocks, inodes, freeInodes } = counts;
      return [
        {
          source,
          mountPoint,
          type,
          readOnly,
          totalBytes: blocks * blockBytes,
          usedBytes: (blocks - freeBlocks) * blockBytes,
          availableBytes: availableBlocks * blockBytes,
          inodes,
          usedInodes: inodes - freeInodes,
        },
      ];
    }),
  );
  return rows.flat();
}

export async function collectStorage(files: MachineFiles): Promise<readonly StorageDevice[]> {
  const names = (await files.list("/sys/block")).filter(isStorage).slice(0, mostOfAKind);
  return Promise.all(
    names.map(async (name) => {
      const of = (attribute: string) => files.read(`/sys/block/${name}/${attribute}`);
      const [size, model, cardName, lifeTime, preEolInfo] = await Promise.all(
        ["size", "device/model", "device/name", "device/life_time", "device/pre_eol_info"].map(of),
      );
      return parseStorage({ name, size, model: model ?? cardName, lifeTime, preEolInfo });
    }),
  );
}

/** `addresses`: interface → addresses with prefix length. */
export async function collectInterfaces(
  files: MachineFiles,
  addresses: ReadonlyMap<string, readonly string[]>,
): Promise<readonly NetworkInterface[]> {
  const names = (await files.list("/sys/class/net")).slice(0, mostOfAKind);
  return Promise.all(
    names.map(async (name) => {
      const of = (attribute: string) => files.read(`/sys/class/net/${name}/${attribute}`);
      const [address, operstate, speed, mtu] = await Promise.all(
        ["address", "operstate", "speed", "mtu"].map(of),
      );
      return parseInterface({ name, address, operstate, speed, mtu }, addresses.get(name) ?? []);
    }),
  );
}

export async function collectDefaultRoutes(
  files: MachineFiles,
  littleEndian: boolean,
): Promise<readonly DefaultRoute[]> {
  const [ipv4 = "", ipv6 = ""] = await Promise.all([
    files.read("/proc/net/route"),
    files.read("/proc/net/ipv6_route"),
  ]);
  return parseDefaultRoutes(ipv4, ipv6, littleEndian);
}

/** Where systemd-resolved answers on a loopback address, the servers that it asks itself. */
export async function collectDnsServers(files: MachineFiles): Promise<readonly string[]> {
  const configured = parseResolvConf((await files.read("/etc/resolv.conf")) ?? "");
  if (!configured.includes("127.0.0.53")) return configured;
  const asked = parseResolvConf((await files.read("/run/systemd/resolve/resolv.conf")) ?? "");
  return asked.length > 0 ? asked : configured;
}

/** Thermal zones; where a machine has none, its hardware monitors' sensors. */
export async function collectTemperatures(files: MachineFiles): Promise<readonly Temperature[]> {
  const zones = (await files.list("/sys/class/thermal")).filter((name) => /^thermal_zone\d+$/.test(name));
  const places = zones.map((zone) => [`/sys/class/thermal/${zone}/type`, `/sys/class/thermal/${zone}/temp`]);
  const found = places.length > 0 ? places : await monitoredPlaces(files);
  const readings = await Promise.all(
    found.slice(0, mostOfAKind).map(async ([name = "", value = ""]) => {
      const [sensor = "", millidegrees] = await Promise.all([files.read(name), files.read(value)]);
      return parseTemperature(sensor, millidegrees);
    }),
  );
  return readings.filter((reading) => reading !== undefined);
}

async function monitoredPlaces(files: MachineFiles): Promise<string[][]> {
  const places: string[][] = [];
  for (const monitor of await files.list("/sys/class/hwmon")) {
    const folder = `/sys/class/hwmon/${monitor}`;
    for (const name of await files.list(folder)) {
      if (/^temp\d+_input$/.test(name)) places.push([`${folder}/name`, `${folder}/${name}`]);
    }
  }
  return places;
}
