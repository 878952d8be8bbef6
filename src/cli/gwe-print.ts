import { existsSync } from "node:fs";
import { engineVersion, missingInterface, readCik, readConfigFile } from "../config/index.ts";
import { maskCiks } from "../core/cik.ts";
import { redactedMark } from "../core/redact.ts";
import { installationPath } from "../platform/installation-path.ts";
import { macAddress, networkInterfaceNames } from "../platform/network-interfaces.ts";
import type { ParsedArguments } from "./arguments.ts";
import { CommandError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";

type Printer = (value: string, context: GweContext) => string;

/** In the order in which they are printed when several are asked for. */
const printers = new Map<string, Printer>([
  ["version", () => engineVersion],
  ["path", () => installationPath()],
  ["engine-conf", (_, { paths }) => describeFile(paths.engineConfig)],
  ["gateway-cfg", (_, { paths }) => describeFile(paths.gatewayCfg)],
  ["gateway-cik", (_, { paths }) => readCik(paths.gatewayCfg) ?? "''"],
  ["mac-address", (iface) => macOf(iface)],
]);

/** Prints what the command line asks for; false when it asks for nothing. */
export async function printAsked(flags: ParsedArguments["flags"], context: GweContext): Promise<boolean> {
  const asked = [...printers].filter(([flag]) => flags.has(flag));
  for (const [flag, print] of asked) {
    await context.terminal.write(`${print(flags.get(flag)?.[0] ?? "", context)}\n`);
  }
  return asked.length > 0;
}

/** Installers print what `gwe` says into `fetch_status`: the CIK is shown by `--gateway-cik` alone. */
export function masked(key: string, value: string): string {
  if (value === "" || value === "''") return value;
  return key === "cik" ? redactedMark : maskCiks(value);
}

function describeFile(file: string): string {
  if (!existsSync(file)) return `# ${file} (does not exist: defaults apply)`;
  const { document } = readConfigFile(file);
  // Masked by key for a mangled CIK, and by shape for one in a comment or behind a misspelt key.
  const shown = document.entries
    .filter(({ key }) => key === "cik")
    .reduce((changed, { section, value }) => changed.with(section, "cik", masked("cik", value)), document);
  return `# ${file}\n${maskCiks(shown.toString())}`.trimEnd();
}

function macOf(iface: string): string {
  const mac = macAddress(iface);
  if (mac === undefined) {
    throw new CommandError(missingInterface(iface, { macAddress, networkInterfaceNames }));
  }
  return mac;
}
