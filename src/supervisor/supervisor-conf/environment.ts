import { WordSplitError } from "./shell-words.ts";

/**
 * Reads `KEY=val,KEY2="val, 2"` as supervisord does; of duplicates the last wins. Unquoted values may hold letters,
 * digits and `_/.+-():`; anything else needs quotes.
 *
 * @throws WordSplitError when it isn't a list of pairs
 */
export function parseEnvironment(text: string): Readonly<Record<string, string>> {
  const tokens = tokenize(text);
  const result: Record<string, string> = {};
  // Key, "=", value, and one separator, whatever it is: that is how supervisord steps through.
  for (let i = 0; i < tokens.length; i += 4) {
    const [key, equals, value] = tokens.slice(i, i + 3);
    if (key === undefined || equals !== "=" || value === undefined) {
      throw new WordSplitError(
        'expected KEY=value pairs separated by commas; a value with other characters than letters, digits and "_/.+-():" needs quotes',
      );
    }
    if (key.includes("\0") || value.includes("\0")) throw new WordSplitError("a NUL byte");
    result[key] = value.replace(/^['"]+|['"]+$/g, "");
  }
  return result;
}

/** Tokens of Python's `shlex.shlex` in its non-POSIX mode, with supervisord's additional word characters. */
function tokenize(text: string): readonly string[] {
  const tokens: string[] = [];
  let position = 0;
  while (position < text.length) {
    const rest = text.slice(position);
    const skipped = /^(?:[ \t\r\n]+|#[^\n]*)/.exec(rest);
    if (skipped) {
      position += skipped[0].length;
      continue;
    }
    const token =
      /^"[^"]*"|^'[^']*'/.exec(rest)?.[0] ?? /^[A-Za-z0-9_/.+\-():][A-Za-z0-9_/.+\-():'"]*/.exec(rest)?.[0];
    if (token === undefined && /^["']/.test(rest)) throw new WordSplitError(`no closing ${rest.charAt(0)}`);
    const taken = token ?? String.fromCodePoint(rest.codePointAt(0) ?? 0);
    tokens.push(taken);
    position += taken.length;
  }
  return tokens;
}
