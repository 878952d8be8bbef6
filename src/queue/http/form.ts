import { RequestProblem } from "./problem.ts";

export type Pair = readonly [key: string, value: string];

/** What makes a form more than plain text: escapes, plus for space, and whatever is not ASCII. */
const special = /[%+\u0080-\u00ff]/;

/**
 * Hands out the pairs of `application/x-www-form-urlencoded` in their order, byte for byte; an escape that is none
 * stays as it is. @throws RequestProblem for a piece without `=`, and for what is not UTF-8
 */
export function scanForm(body: Buffer, take: (key: string, value: string) => void): void {
  const text = body.toString("latin1");
  const decode = special.test(text) ? decodePiece : asIs;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("&", start);
    const end = found < 0 ? text.length : found;
    if (end > start) {
      const equals = text.indexOf("=", start);
      if (equals < 0 || equals > end) {
        throw new RequestProblem(400, "expected <name>=<value>[&<name>=<value>…]");
      }
      take(decode(text.slice(start, equals)), decode(text.slice(equals + 1, end)));
    }
    start = end + 1;
  }
}

/** The names in a query such as `temperature&humidity`. @throws RequestProblem */
export function parseNames(query: string): string[] {
  return query
    .split("&")
    .filter((piece) => piece !== "")
    .map((piece) => decodePiece(piece.split("=", 1)[0] ?? ""));
}

export function encodeForm(pairs: Iterable<Pair>): string {
  return Array.from(pairs, ([key, value]) => `${encodeText(key)}=${encodeText(value)}`).join("&");
}

const encodeText = (text: string): string => encodeURIComponent(text.toWellFormed());
const asIs = (text: string): string => text;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const percent = 0x25;
const plus = 0x2b;
const space = 0x20;

/** @param text one character per byte */
export function decodePiece(text: string): string {
  if (!special.test(text)) return text;
  const source = Buffer.from(text, "latin1");
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    const byte = source[index] as number;
    const high = byte === percent ? hexDigit(source[index + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(source[index + 2]);
    if (low >= 0) {
      source[length++] = high * 16 + low;
      index += 2;
    } else {
      source[length++] = byte === plus ? space : byte;
    }
  }
  try {
    return utf8.decode(source.subarray(0, length));
  } catch {
    throw new RequestProblem(400, "names and values must be text in UTF-8");
  }
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
