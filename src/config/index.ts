export type { Paths } from "../core/paths.ts";
export { CikStore, readCik } from "./cik-store.ts";
export { type ConfigChange, type ConfigSection, ConfigStore } from "./config-store.ts";
export { ConfigAccessError, ConfigError, type ConfigFault } from "./errors.ts";
export { type ConfigFilesDependencies, type ConfigIo, gatewayGroup, readConfigFile } from "./files.ts";
export { hostOfProduct, loadConfig } from "./load.ts";
export { checkPaths, resolvePaths } from "./paths.ts";
export { loadQueueConfig, loadQueueLogConfig } from "./queue-config.ts";
export { QueueConfigStore, type QueueOption } from "./queue-config-store.ts";
export type { QueueConfig, QueueLogConfig } from "./queue-types.ts";
export { RemoteSettings } from "./remote-settings.ts";
export {
  type InterfacePort,
  missingInterface,
  type ProductIdentity,
  requireProduct,
  resolveSerial,
  type SerialResolution,
} from "./serial.ts";
export {
  type BudgetConfig,
  type Config,
  type DeviceConfig,
  type EngineConfig,
  type LogLevel,
  logLevels,
} from "./types.ts";
export { engineBuild, engineBuiltAtMs, engineVersion } from "./version.ts";
