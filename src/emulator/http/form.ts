import { isUtf8 } from "node:buffer";
import { HttpProblem } from "../errors.ts";

/** One `key=value`; undefined where there was no `=`. Values stay bytes: they must arrive byte for byte. */
export interface FormPair {
  readonly key: string;
  readonly value: Buffer | undefined;
}

const ampersand = 0x26;
const equals = 0x3d;
const plus = 0x2b;
const percent = 0x25;
const space = 0x20;

/**
 * Reads `application/x-www-form-urlencoded` bytes, in order.
 *
 * @throws HttpProblem 400 when a `%` is not followed by two hexadecimal digits
 */
export function parseForm(source: Buffer): FormPair[] {
  const pairs: FormPair[] = [];
  let start = 0;
  while (start < source.length) {
    let end = source.indexOf(ampersand, start);
    if (end < 0) end = source.length;
    if (end > start) {
      const split = source.subarray(start, end).indexOf(equals);
      const keyEnd = split < 0 ? end : start + split;
      pairs.push({
        key: decode(source, start, keyEnd).toString(),
        value: split < 0 ? undefined : decode(source, keyEnd + 1, end),
      });
    }
    start = end + 1;
  }
  return pairs;
}

function decode(source: Buffer, start: number, end: number): Buffer {
  const result = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    let byte = source[at] ?? 0;
    if (byte === plus) byte = space;
    else if (byte === percent) {
      const high = at + 2 < end ? hexDigit(source[at + 1] ?? 0) : -1;
      const low = at + 2 < end ? hexDigit(source[at + 2] ?? 0) : -1;
      if (high < 0 || low < 0) throw new HttpProblem(400, "malformed percent-encoding");
      byte = high * 16 + low;
      at += 2;
    }
    result[length++] = byte;
  }
  return result.subarray(0, length);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The form of `alias=value&…` in answers. */
export function encodeForm(pairs: readonly (readonly [key: string, value: Buffer])[]): string {
  return pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeValue(value)}`).join("&");
}

function encodeValue(value: Buffer): string {
  if (isUtf8(value)) return encodeURIComponent(value.toString());
  // Not text: percent-encoding carries the bytes all the same.
  return Array.from(value, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** The fields of a management form, as text. */
export class Fields {
  readonly #pairs: readonly FormPair[];

  constructor(pairs: readonly FormPair[]) {
    this.#pairs = pairs;
  }

  /** The first value of this key; a key with no `=` reads as empty. */
  get(key: string): string | undefined {
    const pair = this.#pairs.find((candidate) => candidate.key === key);
    return pair && (pair.value?.toString() ?? "");
  }

  /** Values of `key` and of `key[]`, in order. */
  all(key: string): string[] {
    return this.#pairs
      .filter((pair) => pair.key === key || pair.key === `${key}[]`)
      .map((pair) => pair.value?.toString() ?? "");
  }

  isTrue(key: string): boolean {
    return this.get(key) === "true";
  }

  /** @throws HttpProblem 400 when it is missing or empty */
  required(key: string): string {
    const value = this.get(key);
    if (value === undefined || value === "") throw new HttpProblem(400, `missing ${key}`);
    return value;
  }
}
