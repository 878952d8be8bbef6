import type { DeviceApi } from "../../device-client/index.ts";
import type { ParsedArguments } from "../arguments.ts";
import type { DeviceSettings } from "../device.ts";
import type { Terminal } from "../terminal.ts";

/** One `gdc` call, its words and options read. */
export interface GdcCall {
  readonly api: DeviceApi;
  /** What stands behind the procedure's name and the CIK. */
  readonly words: readonly string[];
  readonly options: ParsedArguments["flags"];
  readonly terminal: Terminal;
  readonly settings: DeviceSettings;
}

/** One procedure of the Device API as a command. */
export interface Procedure {
  /** What follows `gdc` on a command line. */
  readonly usage: string;
  readonly help: string;
  /** Whether a CIK is needed. */
  readonly authorised: boolean;
  /** Behind the first word that is no option everything is taken as it is: a value may look like an option (`-5`). */
  readonly wordsAreValues: boolean;
  /** Resolves to the exit status; errors are thrown. */
  readonly run: (call: GdcCall) => Promise<number>;
}

export function isJson({ options }: GdcCall): boolean {
  return options.has("json");
}

/** A result for a program: one line of JSON on stdout. */
export function writeJson({ terminal }: GdcCall, value: unknown): Promise<void> {
  return terminal.write(`${JSON.stringify(value)}\n`);
}

/** The value of an option that takes one; undefined where it was not given. */
export function optionOf({ options }: Pick<GdcCall, "options">, name: string): string | undefined {
  return options.get(name)?.at(-1);
}
