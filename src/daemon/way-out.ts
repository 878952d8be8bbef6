import { networkInterfaces } from "node:os";
import { defaultInterface } from "../telemetry/index.ts";

/** The interface that an address is on; addresses are asked for anew where one is not known. */
export class WayOut {
  private interfaceOf: ReadonlyMap<string, string> = new Map();
  private last: { readonly address: string; readonly defaultInterface: string | undefined } | undefined;

  /** The interface that a connection from this address of ours takes. */
  taken(address: string): string {
    const plain = address.replace(/^::ffff:/, "");
    if (!this.interfaceOf.has(plain)) this.interfaceOf = addresses();
    return this.interfaceOf.get(plain) ?? "unknown";
  }

  /** A connection to Murano was made from this address. */
  note(address: string): void {
    this.last = { address, defaultInterface: defaultInterface() };
  }

  /**
   * The interface that the next request to Murano is likely to take: that of the last one, as long as it has its address
   * and the default route is the same, for Murano may be in the local network; else that of the default route.
   */
  next(): string | undefined {
    const route = defaultInterface();
    if (this.last === undefined || this.last.defaultInterface !== route) return route;
    this.interfaceOf = addresses();
    const known = this.interfaceOf.get(this.last.address.replace(/^::ffff:/, ""));
    return known ?? route;
  }
}

function addresses(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
      entries.map(({ address }): [string, string] => [address, name]),
    ),
  );
}
