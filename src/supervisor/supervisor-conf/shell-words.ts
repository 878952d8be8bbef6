/** Thrown as a reason, to be given its option and line by the caller. */
export class WordSplitError extends SyntaxError {}

/**
 * Splits a command as supervisord does (Python's `shlex.split`): words by white space, single and double quotes,
 * backslash; no shell is run, so `$HOME`, `;`, `|` and `*` are plain text.
 *
 * @throws WordSplitError for an unbalanced quote or a trailing backslash
 */
export function splitShellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote === "'" || (quote === '"' && char !== "\\")) {
      if (char === quote) quote = undefined;
      else word += char;
    } else if (char === "\\") {
      const next = text.charAt(++i);
      if (next === "") throw new WordSplitError("a backslash at the end escapes nothing");
      // Between double quotes only the quote and the backslash are escaped.
      word = (word ?? "") + (quote === '"' && next !== '"' && next !== "\\" ? `\\${next}` : next);
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw new WordSplitError(`no closing ${quote}`);
  if (word !== undefined) words.push(word);
  return words;
}
