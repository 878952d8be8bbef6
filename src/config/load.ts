import { unquoteEmpty } from "../core/cik.ts";
import type { IniDocument } from "../core/ini.ts";
import type { Paths } from "../core/paths.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import { readConfigFile } from "./files.ts";
import { cikOption, deviceOptions, engineOptions, type Option, type OptionsOf } from "./options.ts";
import type { Config, DeviceConfig, EngineConfig } from "./types.ts";

/**
 * Reads both configuration files. Missing files, missing keys and empty values give the defaults; unknown keys are
 * nobody's fault.
 *
 * @throws ConfigError naming everything that is wrong at once, each with file, line, key and what is allowed
 * @throws ConfigAccessError when this user may not read a file
 */
export function loadConfig(paths: ConfigPaths): Config {
  return configIn(paths, {
    device: readConfigFile(paths.gatewayCfg).document,
    engine: readConfigFile(paths.engineConfig).document,
  });
}

type ConfigPaths = Pick<Paths, "gatewayCfg" | "engineConfig">;

/**
 * The same of texts that are in hand; `paths` names them in faults.
 * @throws ConfigError
 */
export function configIn(
  paths: ConfigPaths,
  documents: { readonly device: IniDocument; readonly engine: IniDocument },
): Config {
  const faults: ConfigFault[] = [];
  const gateway = sectionReader(paths.gatewayCfg, "device", documents.device, faults);
  const engine = sectionReader(paths.engineConfig, "engine", documents.engine, faults);
  gateway.read(cikOption);
  const device = withServer(gateway.readAll<DeviceConfig>(deviceOptions), paths.gatewayCfg, faults);
  const config = { device, engine: engine.readAll<EngineConfig>(engineOptions) };
  if ((device.certFile === undefined) !== (device.keyFile === undefined)) {
    const expected = "cert_file and key_file go together: set both or none";
    faults.push({ file: paths.gatewayCfg, section: "device", key: "cert_file", expected });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze({ device: Object.freeze(config.device), engine: Object.freeze(config.engine) });
}

/** Murano's server of a product; undefined for a name that cannot be part of a host's. */
export function hostOfProduct(productId: string): string | undefined {
  return /^[A-Za-z0-9-]{1,63}$/.test(productId)
    ? `https://${productId.toLowerCase()}.m2.exosite.io`
    : undefined;
}

/** Without a `server_url`, a product has a host of its own (spec: device-api.md, "Hosts and identity"). */
function withServer(device: DeviceConfig, file: string, faults: ConfigFault[]): DeviceConfig {
  if (device.serverUrl !== undefined || device.vendor === undefined) return device;
  const serverUrl = hostOfProduct(device.vendor);
  if (serverUrl !== undefined) return { ...device, serverUrl };
  const expected = `the vendor ${JSON.stringify(device.vendor)} cannot be part of a host name: set a server_url`;
  faults.push({ file, section: "device", key: "server_url", expected });
  return device;
}

interface SectionReader {
  read<Value>(option: Option<Value>): Value;
  readAll<Section>(options: OptionsOf<Section>): Section;
}

function sectionReader(
  file: string,
  section: string,
  document: IniDocument,
  faults: ConfigFault[],
): SectionReader {
  for (const line of document.faultyLines) {
    faults.push({ file, line, expected: "expected '[section]', 'key = value' or a comment" });
  }
  const read = <Value>(option: Option<Value>): Value => readOption(document, file, section, option, faults);
  return {
    read,
    readAll: <Section>(options: OptionsOf<Section>): Section => {
      const entries = Object.entries<Option<unknown>>(options).map(([name, option]) => [name, read(option)]);
      // Each entry was read by the option of its own name.
      return Object.fromEntries(entries) as Section;
    },
  };
}

function readOption<Value>(
  document: IniDocument,
  file: string,
  section: string,
  option: Option<Value>,
  faults: ConfigFault[],
): Value {
  const entry = document.get(section, option.key);
  const value = unquoteEmpty(entry?.value ?? "");
  if (entry === undefined || value === "") return option.fallback;
  const parsed = option.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = option.key === cikOption.key ? {} : { value };
  faults.push({ file, section, key: option.key, ...shown, line: entry.line, expected: option.expected });
  return option.fallback;
}
