import { ConfigError } from "./errors.ts";
import type { Config } from "./types.ts";

export interface InterfacePort {
  /** Upper case with colons; undefined when there is no such interface or it has no MAC address. */
  macAddress(iface: string): string | undefined;
  networkInterfaceNames(): readonly string[];
}

/** Where the serial number comes from (spec: gateway-engine.md, "Check-in loop and OTAU", 1). */
export type SerialResolution =
  | { readonly kind: "uuid"; readonly serial: string }
  /** To be written back as `uuid`: the gateway keeps its name when the hardware is changed. */
  | { readonly kind: "iface"; readonly serial: string; readonly iface: string }
  /** The interface is not there (yet): `warning` lists those that are. */
  | { readonly kind: "missing-iface"; readonly iface: string; readonly warning: string };

/** @throws ConfigError when neither a serial number nor an interface is set */
export function resolveSerial(config: Pick<Config, "device">, interfaces: InterfacePort): SerialResolution {
  const { serial, iface } = config.device;
  if (serial !== undefined) return { kind: "uuid", serial };
  if (iface === undefined) {
    throw new ConfigError([
      {
        expected:
          "the gateway has no serial number: run 'gwe --set-iface <interface>' to use a MAC address, or 'gwe --set-uuid <serial>'",
      },
    ]);
  }
  const mac = interfaces.macAddress(iface);
  if (mac !== undefined) return { kind: "iface", serial: mac, iface };
  return { kind: "missing-iface", iface, warning: missingInterface(iface, interfaces) };
}

/** One line that says what is wrong with an interface and which ones would do. */
export function missingInterface(iface: string, interfaces: InterfacePort): string {
  const names = interfaces.networkInterfaceNames();
  const usable = names.filter((name) => interfaces.macAddress(name) !== undefined);
  const problem = names.includes(iface) ? "has no MAC address" : "does not exist";
  return `the network interface ${iface} ${problem}; usable here: ${usable.join(", ") || "none"}`;
}

/** What a gateway must know before it can speak to Murano. */
export interface ProductIdentity {
  readonly vendor: string;
  readonly model: string;
  readonly serverUrl: string;
}

/** @throws ConfigError when the gateway does not know its product yet */
export function requireProduct(config: Pick<Config, "device">): ProductIdentity {
  const { vendor, model, serverUrl } = config.device;
  if (vendor !== undefined && model !== undefined && serverUrl !== undefined)
    return { vendor, model, serverUrl };
  throw new ConfigError([
    { expected: "the gateway does not know its product: run 'gwe --set-product-id <product id>'" },
  ]);
}
