import { readdirSync, readFileSync } from "node:fs";

/** Names of all network interfaces, as the kernel lists them. */
export function networkInterfaceNames(): readonly string[] {
  return readdirSync("/sys/class/net").sort();
}

/** The interface's MAC address in upper case with colons, or undefined when there is no such interface or no MAC. */
export function macAddress(iface: string): string | undefined {
  if (!networkInterfaceNames().includes(iface)) return undefined;
  const address = readFileSync(`/sys/class/net/${iface}/address`, "latin1").trim().toUpperCase();
  return /^([0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(address) && address !== "00:00:00:00:00:00"
    ? address
    : undefined;
}
