import type { ParsedArguments } from "../arguments.ts";
import type { Terminal } from "../terminal.ts";
import type { OwnerApi } from "./owner-api.ts";
import type { OwnerHttp } from "./owner-http.ts";

/** One `gwe fleet` call, its words and options read. */
export interface FleetCall {
  readonly owner: OwnerApi;
  readonly http: OwnerHttp;
  /** What stands behind the command's name. */
  readonly words: readonly string[];
  readonly options: ParsedArguments["flags"];
  readonly terminal: Terminal;
}

export interface FleetCommand {
  /** What follows `gwe fleet`. */
  readonly usage: string;
  readonly help: string;
  /** Resolves to the exit status; errors are thrown. */
  readonly run: (call: FleetCall) => Promise<number>;
}

/** The value of an option that takes one; undefined where it was not given. */
export function optionOf({ options }: Pick<FleetCall, "options">, name: string): string | undefined {
  return options.get(name)?.at(-1);
}

/** A result: one line of JSON for a program, else the text for a person. */
export async function writeResult(
  { options, terminal }: FleetCall,
  value: unknown,
  text: () => string,
): Promise<void> {
  await terminal.write(options.has("json") ? `${JSON.stringify(value)}\n` : text());
}

/** Runs work for each of many, so many at a time; results in the order of the items. */
export async function forEachOf<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce = 16,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
