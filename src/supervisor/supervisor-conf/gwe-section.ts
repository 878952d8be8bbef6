import type { Expansions } from "./expansions.ts";
import type { IniSection } from "./ini-reader.ts";
import { OptionReader } from "./option-reader.ts";
import { commandWords, integer, ValueError } from "./values.ts";

/** How one option of `[gwe]` is read; without a `fallback` an absent option is undefined. */
interface GweOption<T> {
  readonly fallback?: string;
  /** @throws ValueError, or another SyntaxError, whose message is the reason */
  readonly parse: (text: string) => T;
}

/** The options of `[gwe]`, the engine's own section; each is called here as the settings call it. */
const gweOptions = {
  /** A program that ends with 0 when the app is well. */
  health_command: { parse: commandWords },
  /** An URL that answers 2xx or 3xx when the app is well. */
  health_url: { parse: httpUrl },
  /** Seconds from one probe to the next. */
  health_interval: { fallback: "30", parse: within(1, 86_400) },
  /** Seconds after which a probe has failed. */
  health_timeout: { fallback: "5", parse: within(1, 3_600) },
  /** Failed probes in a row after which the app is restarted. */
  health_failures: { fallback: "3", parse: within(1, 1_000) },
} as const satisfies Record<string, GweOption<unknown>>;

type Options = typeof gweOptions;

/** What `[gwe]` says, checked; defaults where it says nothing, or isn't there. Times in seconds. */
export type GweSettings = {
  readonly [K in keyof Options]:
    | ReturnType<Options[K]["parse"]>
    | (Options[K] extends { fallback: string } ? never : undefined);
};

/**
 * Reads the section `[gwe]`.
 *
 * @param section undefined when the file has none
 * @throws SupervisorConfError naming option, value and line
 */
export function readGweSection(section: IniSection | undefined, expansions: Expansions): GweSettings {
  const options = new OptionReader(section ?? { name: "gwe", line: 1, options: new Map() });
  const entries = Object.entries<GweOption<unknown>>(gweOptions).map(([name, { fallback, parse }]) => [
    name,
    fallback === undefined
      ? options.optional(name, expansions, parse)
      : options.get(name, fallback, expansions, parse),
  ]);
  const settings = Object.fromEntries(entries) as GweSettings;
  if (settings.health_command !== undefined && settings.health_url !== undefined) {
    options.fail("health_url", "there is a health_command too; keep one");
  }
  return settings;
}

/** One sentence for each thing in the section that has no effect: it may be for a newer engine. */
export function gweSectionWarnings(section: IniSection | undefined): readonly string[] {
  return [...(section?.options ?? [])]
    .filter(([option]) => !Object.hasOwn(gweOptions, option))
    .map(([option, { line }]) => `line ${line}: ${option} is not an option of [gwe]; it is ignored.`);
}

function httpUrl(text: string): string {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new ValueError("expected an http:// or https:// URL");
  return url.href;
}

function within(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = integer(text);
    if (value < min || value > max) throw new ValueError(`expected ${min} to ${max}`);
    return value;
  };
}
