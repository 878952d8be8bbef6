/**
 * Aliases and names may hold a NUL character, which PostgreSQL's text cannot. It is stored as a marker with a digit, and
 * so is the marker itself: a character that Unicode gives no meaning.
 */
const marker = "\u{10fffd}";
const special = new RegExp(`[\0${marker}]`, "gu");
const escaped = new RegExp(`${marker}([01])`, "gu");

export function escapeNul(text: string): string {
  if (!text.includes("\0") && !text.includes(marker)) return text;
  return text.replace(special, (character) => marker + (character === "\0" ? "0" : "1"));
}

export function unescapeNul(text: string): string {
  if (!text.includes(marker)) return text;
  return text.replace(escaped, (_, digit) => (digit === "0" ? "\0" : marker));
}
