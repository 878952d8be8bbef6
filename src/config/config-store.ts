import type { IniDocument } from "../core/ini.ts";
import { asWritten, changeFault } from "./change.ts";
import { ConfigError, type ConfigFault } from "./errors.ts";
import { type ConfigFilesDependencies, changeConfigFile } from "./files.ts";
import type { Option } from "./option.ts";
import { cikOption, deviceOptions, engineOptions } from "./options.ts";

export type ConfigSection = "device" | "engine";

/** One key to set; an empty value (or `''`) clears it, which restores its default. */
export interface ConfigChange {
  readonly section: ConfigSection;
  readonly key: string;
  readonly value: string;
}

/** Keys that the original always wrote to `Gateway.cfg`, in its order. */
const classicDeviceKeys = ["cik", "model", "vendor", "uuid", "iface"];

const known: Readonly<Record<ConfigSection, readonly Option<unknown>[]>> = {
  device: [cikOption, ...Object.values<Option<unknown>>(deviceOptions)],
  engine: Object.values<Option<unknown>>(engineOptions),
};

/** Writes configuration: validated, durable, and without touching any other byte of the file. */
export class ConfigStore {
  private readonly dependencies: ConfigFilesDependencies;

  constructor(dependencies: ConfigFilesDependencies) {
    this.dependencies = dependencies;
  }

  /**
   * Applies all changes, or none where one of them is invalid. Each file is replaced at most once.
   * @throws ConfigError naming each key that is unknown or has an invalid value
   * @throws ConfigAccessError when this user may not write
   */
  set(changes: readonly ConfigChange[]): void {
    const faults = this.faultsOf(changes);
    if (faults.length > 0) throw new ConfigError(faults);
    for (const section of ["device", "engine"] as const) {
      const ours = changes.filter((change) => change.section === section);
      if (ours.length === 0) continue;
      changeConfigFile(this.dependencies, this.fileOf(section), (document) => {
        const complete = section === "device" ? withClassicKeys(document) : document;
        return ours.reduce(
          (changed, change) => changed.with(section, change.key, asWritten(change.value)),
          complete,
        );
      });
    }
  }

  /** What speaks against these changes; none where they can be made. Writes nothing. */
  faultsOf(changes: readonly ConfigChange[]): readonly ConfigFault[] {
    return changes.flatMap((change) => this.faultOf(change) ?? []);
  }

  /** Which file holds a section. */
  fileOf(section: ConfigSection): string {
    const { paths } = this.dependencies;
    return section === "device" ? paths.gatewayCfg : paths.engineConfig;
  }

  private faultOf({ section, key, value }: ConfigChange): ConfigFault | undefined {
    return changeFault({ file: this.fileOf(section), section, key, value, options: known[section] });
  }
}

function withClassicKeys(document: IniDocument): IniDocument {
  return classicDeviceKeys.reduce(
    (changed, key) =>
      changed.get("device", key) === undefined ? changed.with("device", key, "''") : changed,
    document,
  );
}
