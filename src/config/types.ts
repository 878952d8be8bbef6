/** The original engine's names. */
export const logLevels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type LogLevel = (typeof logLevels)[number];

/** `Gateway.cfg`, section `[device]`, without the CIK: that is the `CikStore`'s. */
export interface DeviceConfig {
  /** On Murano vendor and model are both the product id. Undefined while the gateway is not configured. */
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  /** Key `uuid`: the serial number, also called identity. */
  readonly serial: string | undefined;
  /** Network interface whose MAC address becomes the serial number where none is set. */
  readonly iface: string | undefined;
  readonly activationRetryIntervalS: number;
  /** `scheme://host[:port]`; by default the product's own host. Undefined only without a vendor. */
  readonly serverUrl: string | undefined;
  /** PEM, trusted in place of the built-in authorities. Absolute, as are the next two. */
  readonly caFile: string | undefined;
  /** TLS client certificate in place of the CIK. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** `Engine.config`, section `[engine]`. */
export interface EngineConfig {
  /** Seconds between check-ins. */
  readonly updateIntervalS: number;
  readonly checkIn: "interval" | "long-poll";
  readonly logLevel: LogLevel;
  readonly userAgent: string;
  readonly installerTimeoutS: number;
  /** How much of the end of an installer's output is kept and reported. */
  readonly installerOutputKib: number;
  readonly fetchStatusFormat: "json" | "text";
  /** How long an updated app with a `health` script has to stay up before it counts as installed. */
  readonly probationS: number;
  /** 0: never. */
  readonly fatalRetryS: number;
  /** Versions of an app kept on disk, the running one included. */
  readonly keptVersions: number;
  /** Disk space of all kept versions; an app's running version and the one before are kept whatever they take. */
  readonly keptVersionsMib: number;
  /** Disk space that no installation may use up. */
  readonly diskReserveMib: number;
  /** What all apps' logs together may take. */
  readonly appLogsMib: number;
  /** Average speed of package downloads at most; 0: no limit. */
  readonly downloadBytesPerSecond: number;
  /** Where releases of the engine are published, without a slash at its end; undefined for nowhere known. */
  readonly releaseUrl: string | undefined;
  /** Whether packages need a signature by a trusted key; `if-keys`: as soon as the key directory holds anything. */
  readonly requireSignature: "never" | "if-keys" | "always";
  /** Whether a version older than the installed one may be installed. */
  readonly allowDowngrade: boolean;
}

/** `Engine.config`, a section `[budget:<interfaces>]`: how much may flow over an interface. */
export interface BudgetConfig {
  /** 0: no limit. */
  readonly dailyKib: number;
  readonly monthlyMib: number;
  readonly warningPercent: number;
  readonly resetDay: number;
  readonly action: "report" | "hold-backlog" | "hold-all-but-urgent";
}

/** Deeply frozen; holds no secret. */
export interface Config {
  readonly device: DeviceConfig;
  readonly engine: EngineConfig;
  /** By interface's name, or the beginning of several with a `*` behind it. */
  readonly budgets: ReadonlyMap<string, BudgetConfig>;
}
