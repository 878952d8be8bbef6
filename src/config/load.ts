import type { IniDocument } from "../core/ini.ts";
import type { Paths } from "../core/paths.ts";
import { readBudgets } from "./budgets.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import { readConfigFile } from "./files.ts";
import { cikOption, deviceOptions, engineOptions } from "./options.ts";
import { sectionsOf } from "./section-reader.ts";
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
  const gateway = sectionsOf(documents.device, paths.gatewayCfg, faults)("device");
  const sections = sectionsOf(documents.engine, paths.engineConfig, faults);
  const engine = sections("engine");
  gateway.read(cikOption);
  const device = withServer(gateway.readAll<DeviceConfig>(deviceOptions), paths.gatewayCfg, faults);
  const config = { device, engine: engine.readAll<EngineConfig>(engineOptions) };
  const budgets = readBudgets(documents.engine, sections, { file: paths.engineConfig, faults });
  if ((device.certFile === undefined) !== (device.keyFile === undefined)) {
    const expected = "cert_file and key_file go together: set both or none";
    faults.push({ file: paths.gatewayCfg, section: "device", key: "cert_file", expected });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze({
    device: Object.freeze(config.device),
    engine: Object.freeze(config.engine),
    budgets,
  });
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
