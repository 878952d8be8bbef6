import { GweError } from "../core/errors.ts";

/** One thing that is wrong in a configuration file or with a path. */
export interface ConfigFault {
  /** Absolute path of the file. */
  readonly file?: string;
  readonly section?: string;
  readonly key?: string;
  /** Left out where it is a secret. */
  readonly value?: string;
  /** 1-based. */
  readonly line?: number;
  /** What is allowed, or what to do. */
  readonly expected: string;
}

/** The configuration cannot be used as it is. `faults` holds all that is wrong, the message says it to a person. */
export class ConfigError extends GweError {
  readonly code = "CONFIG";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[], cause?: unknown) {
    super(faults.map(describeFault).join("; "), { cause, context: { faults } });
    this.faults = faults;
  }
}

/** A configuration file that this user may not read or write. */
export class ConfigAccessError extends GweError {
  readonly code = "CONFIG_ACCESS";
}

function describeFault(fault: ConfigFault): string {
  const place = fault.file === undefined ? "" : `${fault.file}${fault.line ? `:${fault.line}` : ""}: `;
  const key = fault.key === undefined ? "" : `[${fault.section}] ${fault.key}`;
  const value = fault.value === undefined ? "" : ` = ${JSON.stringify(fault.value.slice(0, 200))}`;
  const expected = fault.value === undefined ? fault.expected : `expected ${fault.expected}`;
  return `${place}${key}${value}${key === "" ? "" : ": "}${expected}`;
}
