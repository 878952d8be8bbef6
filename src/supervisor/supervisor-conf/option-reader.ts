import { SupervisorConfError } from "../errors.ts";
import { type Expansions, expand } from "./expansions.ts";
import type { IniSection } from "./ini-reader.ts";

/** Reads one section's options, each checked where it is read; every failure names option, value and line. */
export class OptionReader {
  private readonly section: IniSection;

  constructor(section: IniSection) {
    this.section = section;
  }

  has(option: string): boolean {
    return this.section.options.has(option);
  }

  /**
   * @param fallback the option's text when the file lacks it
   * @param parse throws a SyntaxError whose message is the reason
   */
  get<T>(option: string, fallback: string, expansions: Expansions, parse: (text: string) => T): T {
    const text = this.section.options.get(option)?.value ?? fallback;
    return this.check(option, () => parse(expand(text, expansions)));
  }

  optional<T>(option: string, expansions: Expansions, parse: (text: string) => T): T | undefined {
    return this.has(option) ? this.get(option, "", expansions, parse) : undefined;
  }

  /** Unexpanded, for a template that is filled in per process. */
  raw(option: string, fallback: string): string {
    return this.section.options.get(option)?.value ?? fallback;
  }

  fail(option: string, reason: string, cause?: unknown): never {
    const entry = this.section.options.get(option);
    const line = entry?.line ?? this.section.line;
    const value = entry?.value ?? null;
    const shown = value === null ? option : `${option}=${shorten(value)}`;
    throw new SupervisorConfError(`supervisor.conf line ${line}: ${shown}: ${reason}`, {
      context: { option, value, line },
      cause,
    });
  }

  private check<T>(option: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (error instanceof SyntaxError) this.fail(option, error.message, error.cause);
      throw error;
    }
  }
}

function shorten(value: string): string {
  return JSON.stringify(value.length > 120 ? `${value.slice(0, 120)}…` : value);
}
