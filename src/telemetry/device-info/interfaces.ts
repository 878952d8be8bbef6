import type { NetworkInterface } from "./facts.ts";

/** What `/sys/class/net/<name>/` says; undefined where the kernel refuses to (speed of a link that is down). */
export interface InterfaceAttributes {
  readonly name: string;
  readonly address: string | undefined;
  readonly operstate: string | undefined;
  readonly speed: string | undefined;
  readonly mtu: string | undefined;
}

export function parseInterface(
  { name, address, operstate, speed, mtu }: InterfaceAttributes,
  addresses: readonly string[],
): NetworkInterface {
  const mac = (address ?? "").trim().toUpperCase();
  return {
    name,
    mac: /^([0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(mac) && mac !== "00:00:00:00:00:00" ? mac : null,
    state: (operstate ?? "unknown").trim(),
    speedMbit: positive(speed),
    mtu: positive(mtu),
    addresses,
  };
}

/** Drivers say -1, or 4294967295, for "unknown". */
function positive(text: string | undefined): number | null {
  const value = Number((text ?? "").trim() || Number.NaN);
  return value > 0 && value < 0xffff_ffff ? value : null;
}
