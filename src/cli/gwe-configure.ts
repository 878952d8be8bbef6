import { existsSync } from "node:fs";
import {
  type ConfigChange,
  ConfigStore,
  gatewayGroup,
  type LogLevel,
  logLevels,
  missingInterface,
  readConfigFile,
} from "../config/index.ts";
import type { IniDocument } from "../core/ini.ts";
import { groupId } from "../platform/groups.ts";
import { macAddress, networkInterfaceNames } from "../platform/network-interfaces.ts";
import type { ParsedArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { setters } from "./gwe-flags.ts";
import { masked } from "./gwe-print.ts";

type Flags = ParsedArguments["flags"];

const debugLevel = "set-debug-level";

/**
 * The log level for this run alone: `-d` beside another option (spec: gateway-engine.md, "Command line gwe").
 * Undefined where there is no `-d`, or where it stands alone and is to be kept.
 */
export function takeLogLevel(flags: Flags): LogLevel | undefined {
  const given = flags.get(debugLevel)?.[0];
  if (given === undefined || flags.size === 1) return undefined;
  const level = logLevels.find((name) => name === given);
  if (level === undefined) throw new UsageError(`--${debugLevel} is one of ${logLevels.join(", ")}`);
  return level;
}

/** Applies all setters of one command line at once and prints what came of it; false where there are none. */
export async function configure(flags: Flags, context: GweContext): Promise<boolean> {
  const { paths, terminal } = context;
  const changes: ConfigChange[] = [];
  for (const [flag, [value = ""]] of flags) {
    for (const [section, key] of setters[flag] ?? []) {
      changes.push({
        section,
        key,
        value: key === "cik" && value === "-" ? await pipedCik(terminal) : value,
      });
    }
  }
  const level = flags.get(debugLevel)?.[0];
  if (level !== undefined && flags.size === 1) {
    changes.push({ section: "engine", key: "debug_level", value: level });
  }
  if (changes.length === 0) return false;
  const { configIo } = await import("../daemon/config-io.ts");
  const store = new ConfigStore({ paths, io: configIo });
  store.set(changes);
  for (const section of ["device", "engine"] as const) {
    if (!changes.some((change) => change.section === section)) continue;
    await terminal.write(describeDocument(readConfigFile(store.fileOf(section)).document));
  }
  adviseOn(changes, context);
  return true;
}

/** Nothing on stdin is a pipe whose other end has failed: that must not cost the gateway its CIK. */
async function pipedCik(terminal: GweContext["terminal"]): Promise<string> {
  const text = (await terminal.readStdin()).trim();
  if (text === "") throw new UsageError("there is no CIK on stdin; --set-cik '' clears it");
  return text;
}

/** The resulting configuration as the original prints it: sections and keys, no comments; the CIK masked. */
function describeDocument(document: IniDocument): string {
  const sections = [...new Set(document.entries.map(({ section }) => section))];
  return sections
    .map((section) => {
      const keys = [...new Set(document.entries.filter((e) => e.section === section).map(({ key }) => key))];
      const lines = keys.map((key) => {
        const value = document.get(section, key)?.value ?? "";
        return `${key} = ${masked(key, value === "" ? "''" : value)}\n`;
      });
      return `[${section}]\n${lines.join("")}`;
    })
    .join("\n");
}

function adviseOn(changes: readonly ConfigChange[], { paths, terminal }: GweContext): void {
  const iface = changes.find(({ key, value }) => key === "iface" && value !== "" && value !== "''")?.value;
  if (iface !== undefined) {
    const mac = macAddress(iface);
    terminal.note(
      mac === undefined
        ? `gwe: warning: ${missingInterface(iface, { macAddress, networkInterfaceNames })}`
        : `Found interface '${iface}' with MAC address (serial/uuid): ${mac}`,
    );
  }
  if (
    paths.home === null &&
    changes.some(({ key }) => key === "cik") &&
    groupId(gatewayGroup) === undefined
  ) {
    terminal.note(`gwe: note: there is no group ${gatewayGroup}, so only root can read the CIK`);
  }
  if (existsSync(paths.controlSocket)) {
    terminal.note("gwe: note: a running engine takes this up at its next start");
  }
}
