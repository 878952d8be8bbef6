import type { ConfigChange } from "../../config/index.ts";
import { IniDocument } from "../../core/ini.ts";
import { CommandError } from "../errors.ts";

/** What a file for mass production says: one file for a whole batch of gateways. */
export interface Provisioning {
  readonly productId: string | undefined;
  /** Path of a list of serial numbers by MAC address, as written in the file. */
  readonly serials: string | undefined;
  /** Keys of `Gateway.cfg` and `Engine.config`; whether they may have their values is seen when they are written. */
  readonly changes: readonly ConfigChange[];
}

const setupKeys = ["product_id", "serials"];

/**
 * Reads a provisioning file: `[setup] product_id, serials`, and any key of `[device]` and `[engine]`.
 * @throws CommandError naming the line of what is not known: a misspelt key would leave a whole batch without it
 */
export function parseProvisioning(text: string, file: string): Provisioning {
  const document = IniDocument.parse(text);
  const fail = (line: number, what: string): never => {
    throw new CommandError(`${file}:${line}: ${what}`);
  };
  const [faulty] = document.faultyLines;
  if (faulty !== undefined) fail(faulty, "neither a section nor 'key = value'");
  const changes: ConfigChange[] = [];
  for (const { section, key, value, line } of document.entries) {
    if (section === "device" || section === "engine") changes.push({ section, key, value });
    else if (section !== "setup") fail(line, `no such section; known: [setup], [device], [engine]`);
    else if (!setupKeys.includes(key)) fail(line, `no such key; known in [setup]: ${setupKeys.join(", ")}`);
  }
  const setting = (key: string): string | undefined => document.get("setup", key)?.value || undefined;
  return { productId: setting("product_id"), serials: setting("serials"), changes };
}

/**
 * The serial number of one of these MAC addresses in a list with lines `<mac>,<serial>`; undefined where it has none.
 * Empty lines and those that begin with `#` are passed over.
 * @throws CommandError naming a line that is none, or an address with two serial numbers
 */
export function serialFor(macs: readonly string[], csv: string, file: string): string | undefined {
  const wanted = new Set(macs.map(normalMac));
  const found = new Set<string>();
  for (const [index, line] of csv.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [mac, serial, ...more] = line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    const address = normalMac(mac ?? "");
    if (!/^[0-9A-F]{12}$/.test(address) || serial === undefined || serial === "" || more.length > 0) {
      throw new CommandError(`${file}:${index + 1}: expected <mac address>,<serial number>`);
    }
    if (wanted.has(address)) found.add(serial);
  }
  if (found.size > 1)
    throw new CommandError(`${file} has several serial numbers for this gateway: ${[...found].join(", ")}`);
  return [...found][0];
}

/** `00:1b-2C…` → `001B2C…` */
function normalMac(text: string): string {
  return text.replace(/[:.-]/g, "").toUpperCase();
}
