/** What `%(…)s` may name. */
export type Expansions = Readonly<Record<string, string | number>>;

/** The reason alone; the caller adds option and line. */
class ExpansionError extends SyntaxError {}

const directive = /%(?:\(([^)]*)\)([-0 +#]*)(\d*)(?:\.(\d+))?([A-Za-z])|(%)|)/g;

/**
 * Expands as Python's `%` operator with a dictionary: `%(name)s`, `%(process_num)02d`, `%%`.
 *
 * @throws ExpansionError for an unknown name or a bad format
 */
export function expand(text: string, expansions: Expansions): string {
  return text.replace(directive, (whole, name, flags, width, precision, conversion, percent) => {
    if (percent !== undefined) return "%";
    if (name === undefined) throw new ExpansionError('a "%" that is meant as such is written "%%"');
    const value = Object.hasOwn(expansions, name) ? expansions[name] : undefined;
    if (value === undefined) {
      const known = Object.keys(expansions).filter((key) => !key.startsWith("ENV_"));
      throw new ExpansionError(
        `%(${name}) is not known here; known are ${known.sort().join(", ")} and ENV_<variable>`,
      );
    }
    return pad(format(value, conversion, precision, whole), flags ?? "", Number(width || 0));
  });
}

function format(
  value: string | number,
  conversion: string,
  precision: string | undefined,
  whole: string,
): string {
  if (conversion === "s") {
    return precision === undefined ? String(value) : String(value).slice(0, Number(precision));
  }
  if ("diu".includes(conversion) && typeof value === "number") return String(Math.trunc(value));
  if (conversion === "x" && typeof value === "number") return value.toString(16);
  throw new ExpansionError(`${whole} asks for a number but the value is text, or the format is unknown`);
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes("-")) return text.padEnd(width);
  return text.padStart(width, flags.includes("0") ? "0" : " ");
}
