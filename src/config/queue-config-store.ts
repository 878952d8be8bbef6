import { unquoteEmpty } from "../core/cik.ts";
import type { Paths } from "../core/paths.ts";
import { asWritten, changeFault } from "./change.ts";
import { ConfigError } from "./errors.ts";
import { type ConfigFilesDependencies, changeConfigFile, readConfigFile } from "./files.ts";
import { type QueueFile, queueFileOptions } from "./queue-config.ts";

/** One option as it is in force when the file is read next. */
export interface QueueOption {
  readonly section: string;
  readonly key: string;
  /** As written in the file, or the default. */
  readonly value: string;
  readonly isDefault: boolean;
}

export interface QueueConfigStoreDependencies extends ConfigFilesDependencies {
  readonly paths: ConfigFilesDependencies["paths"] & Pick<Paths, "home" | "gmqCfg" | "loggingCfg">;
  readonly file: QueueFile;
}

/** Shows and changes the options of `gmq.cfg` or `logging.cfg`, leaving every other byte of the file. */
export class QueueConfigStore {
  readonly path: string;
  private readonly dependencies: QueueConfigStoreDependencies;

  constructor(dependencies: QueueConfigStoreDependencies) {
    this.dependencies = dependencies;
    this.path = dependencies.paths[dependencies.file];
  }

  /** Every known option, then what else the file holds. @throws ConfigAccessError when this user may not read it */
  options(): readonly QueueOption[] {
    const { document } = readConfigFile(this.path);
    const known = Object.entries(this.known()).flatMap(([section, options]) =>
      options.map(({ key, fallback }): QueueOption => {
        const value = unquoteEmpty(document.get(section, key)?.value ?? "");
        return { section, key, value: value === "" ? shown(fallback) : value, isDefault: value === "" };
      }),
    );
    const isKnown = (section: string, key: string): boolean =>
      known.some((option) => option.section === section && option.key === key);
    const others = document.entries.filter(
      ({ section, key }, index, all) =>
        !isKnown(section, key) &&
        all.findLastIndex((entry) => entry.section === section && entry.key === key) === index,
    );
    return [
      ...known,
      ...others.map(({ section, key, value }) => ({ section, key, value, isDefault: false })),
    ];
  }

  /**
   * Durable when it returns. An empty value (or `''`) restores the default.
   * @throws ConfigError for an unknown section or key, or a value that is not allowed
   * @throws ConfigAccessError when this user may not write
   */
  set(section: string, key: string, value: string): void {
    const known = this.known();
    const options = Object.hasOwn(known, section) ? known[section] : undefined;
    if (options === undefined) {
      const expected = `no such section; known: ${Object.keys(known).join(", ")}`;
      throw new ConfigError([{ file: this.path, section, key, expected }]);
    }
    const fault = changeFault({ file: this.path, section, key, value, options });
    if (fault !== undefined) throw new ConfigError([fault]);
    changeConfigFile(this.dependencies, this.path, (document) =>
      document.with(section, key, asWritten(value)),
    );
  }

  private known() {
    return queueFileOptions(this.dependencies.paths)[this.dependencies.file];
  }
}

function shown(fallback: unknown): string {
  if (fallback === undefined) return "";
  return Array.isArray(fallback) ? fallback.join(" ") : String(fallback);
}
