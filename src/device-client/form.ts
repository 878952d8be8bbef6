/** `application/x-www-form-urlencoded` as the Device API uses it (spec: device-api.md, "Hosts and identity"). */

export type Pair = readonly [key: string, value: string];

/**
 * Percent-encodes the UTF-8 bytes of a text, so that any text arrives byte for byte. Half of a surrogate pair (an
 * output cut in the middle of an emoji) has no bytes in UTF-8: it travels as U+FFFD, as it would through a file.
 */
export function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

export function encodeForm(pairs: Iterable<Pair>): string {
  return Array.from(pairs, ([key, value]) => `${encodeText(key)}=${encodeText(value)}`).join("&");
}

/** For bodies of data: three bytes for each quotation mark and brace of a report are bandwidth (ADR 15). */
export function encodeCompactForm(pairs: Iterable<Pair>): string {
  return encodeForm(pairs).replace(plainInBodies, (code) => plain[code] ?? code);
}

/** Means nothing in a form; `;` parts pairs for some old servers, and so is not among them. */
const plain: Readonly<Record<string, string>> = {
  "%20": "+",
  ...Object.fromEntries(Array.from('"{}[],:/@', (char) => [encodeURIComponent(char), char])),
};
const plainInBodies = new RegExp(Object.keys(plain).join("|"), "g");

/**
 * The pairs of a form in their order; undefined when the text is no form (a piece without `=`). Tolerates what
 * servers do in the field: empty pieces, one line end after the last pair, `%` that starts no escape (kept as it
 * is), and bytes that are not UTF-8 (U+FFFD): one odd value must not hide the others.
 */
export function decodeForm(text: string): readonly Pair[] | undefined {
  const pairs: Pair[] = [];
  for (const piece of text.replace(/\r?\n$/, "").split("&")) {
    if (piece === "") continue;
    const split = piece.indexOf("=");
    if (split < 0) return undefined;
    pairs.push([decodeText(piece.slice(0, split)), decodeText(piece.slice(split + 1))]);
  }
  return pairs;
}

function decodeText(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeLossy(spaced);
  }
}

function decodeLossy(text: string): string {
  const source = Buffer.from(text);
  const target = Buffer.alloc(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    const escaped = source[index] === percent ? source.toString("latin1", index + 1, index + 3) : "";
    const isEscape = /^[0-9a-fA-F]{2}$/.test(escaped);
    target[length++] = isEscape ? Number.parseInt(escaped, 16) : (source[index] ?? 0);
    if (isEscape) index += 2;
  }
  return target.toString("utf8", 0, length);
}

const percent = 0x25;
