import { GweError } from "../core/errors.ts";

/** A pattern of a buildfile's `includes` or `excludes`, compiled. Paths are relative, with `/` between segments. */
export interface Glob {
  /** Whether it names the path, or a directory that the path lies in: a directory stands for all that is in it. */
  matches(path: string): boolean;
  /** The leading segments that hold no wildcard: nothing outside of that directory can match. */
  readonly base: readonly string[];
}

/** A pattern that cannot be meant. */
export class GlobError extends GweError {
  readonly code = "GLOB";
}

const maxAlternatives = 256;
const maxPatternLength = 1000;

/**
 * The usual signs: `*` (any text within a name), `?` (one character of a name), `**` (any number of directories),
 * `[abc]`, `[a-z]`, `[!abc]`, `{one,two}`, and `\` before a sign that is meant literally. Names that begin with a dot
 * are names like any other. Own code rather than Node's: what a pattern selects must not change with Node's version.
 *
 * @throws GlobError saying what is wrong with the pattern
 */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > maxPatternLength) throw new GlobError(`longer than ${maxPatternLength} characters`);
  if (pattern === "") throw new GlobError("empty");
  const alternatives = expandBraces(pattern).map(splitPattern);
  const sources = alternatives.map(segmentsSource);
  const regexp = new RegExp(`^(?:${sources.join("|")})(?:/.*)?$`, "su");
  const [first = [], ...others] = alternatives.map(literalStart);
  const common = first.findIndex((segment, index) => others.some((other) => other[index] !== segment));
  return {
    matches: (path) => regexp.test(path),
    base: common < 0 ? first : first.slice(0, common),
  };
}

function splitPattern(pattern: string): readonly string[] {
  if (pattern.startsWith("/"))
    throw new GlobError("absolute; it must be relative to the buildfile's directory");
  const segments = pattern.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw new GlobError("leads out of the buildfile's directory with '..'");
  return segments;
}

function segmentsSource(segments: readonly string[]): string {
  // The directory itself: everything in it.
  if (segments.length === 0) return "[^/]+";
  const last = segments.length - 1;
  const parts = segments.map((segment, index) => {
    if (segment !== "**") return nameSource(segment) + (index === last ? "" : "/");
    return index === last ? "[^/]+" : "(?:[^/]+/)*";
  });
  return parts.join("");
}

function nameSource(segment: string): string {
  let source = "";
  for (let at = 0; at < segment.length; ) {
    const sign = String.fromCodePoint(segment.codePointAt(at) ?? 0);
    at += sign.length;
    if (sign === "*") {
      // Several stars in a row mean no more than one, and would only make matching slow.
      if (segment[at] !== "*") source += "[^/]*";
    } else if (sign === "?") {
      source += "[^/]";
    } else if (sign === "[") {
      const end = classEnd(segment, at);
      source += `(?!/)${classSource(segment.slice(at, end))}`;
      at = end + 1;
    } else if (sign === "\\") {
      const literal = String.fromCodePoint(segment.codePointAt(at) ?? 0);
      if (at >= segment.length) throw new GlobError("ends in a backslash");
      source += escaped(literal);
      at += literal.length;
    } else {
      source += escaped(sign);
    }
  }
  return source;
}

/** A `]` right at the beginning of a class is one of its characters. */
function classEnd(segment: string, start: number): number {
  const first = segment[start] === "!" || segment[start] === "^" ? start + 1 : start;
  const end = segment.indexOf("]", first + 1);
  if (end < 0)
    throw new GlobError("'[' without ']' (a '[' that is meant literally is written \\\\[ in JSON)");
  return end;
}

function classSource(text: string): string {
  const isNegated = text.startsWith("!") || text.startsWith("^");
  const characters = (isNegated ? text.slice(1) : text).replace(/[\\\]^[&]/g, "\\$&");
  const source = `[${isNegated ? "^" : ""}${characters}]`;
  try {
    new RegExp(source, "u");
  } catch {
    throw new GlobError(`the range in [${text}] is the wrong way round`);
  }
  return source;
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function literalStart(segments: readonly string[]): readonly string[] {
  const wild = segments.findIndex((segment) => /[*?[\\]/.test(segment));
  return wild < 0 ? segments : segments.slice(0, wild);
}

function expandBraces(pattern: string): readonly string[] {
  const group = firstGroup(pattern);
  if (group === undefined) return [pattern];
  const { start, end, options } = group;
  const expanded = options.flatMap((option) =>
    expandBraces(pattern.slice(0, start) + option + pattern.slice(end + 1)),
  );
  if (expanded.length > maxAlternatives) throw new GlobError(`more than ${maxAlternatives} alternatives`);
  return expanded;
}

function firstGroup(pattern: string): { start: number; end: number; options: string[] } | undefined {
  let start = -1;
  let depth = 0;
  let from = 0;
  const options: string[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at];
    if (sign === "\\") at += 1;
    else if (sign === "{" && depth++ === 0) {
      start = at;
      from = at + 1;
    } else if (sign === "," && depth === 1) {
      options.push(pattern.slice(from, at));
      from = at + 1;
    } else if (sign === "}" && depth > 0 && --depth === 0) {
      return { start, end: at, options: [...options, pattern.slice(from, at)] };
    }
  }
  if (depth > 0) throw new GlobError("'{' without '}'");
  return undefined;
}
