import { constants } from "node:os";
import { splitShellWords } from "./shell-words.ts";

/** The reason alone; the caller adds option, value and line. */
export class ValueError extends SyntaxError {}

const truthy = ["yes", "true", "on", "1"];
const falsy = ["no", "false", "off", "0"];

export function boolean(text: string): boolean {
  const value = text.toLowerCase();
  if (truthy.includes(value)) return true;
  if (falsy.includes(value)) return false;
  throw new ValueError(`expected one of ${[...truthy, ...falsy].join(", ")}`);
}

export function integer(text: string): number {
  const value = Number(text.trim().replaceAll("_", ""));
  if (!/^\s*[+-]?\d[\d_]*\s*$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ValueError("expected a whole number");
  }
  return value;
}

/** Times and counts: supervisord takes negative ones and then behaves as with 0. */
export function count(text: string): number {
  return Math.max(0, integer(text));
}

export function octal(text: string): number {
  if (!/^\s*(0o?)?[0-7]{1,4}\s*$/i.test(text)) throw new ValueError("expected an octal number such as 022");
  return Number.parseInt(text.trim().replace(/^0o/i, ""), 8);
}

/** `200KB`, `1MB`, `1GB`, or bytes; 1024-based. */
export function byteSize(text: string): number {
  const match = /^\s*(\d+)\s*(kb|mb|gb)?\s*$/i.exec(text);
  if (match === null) throw new ValueError("expected a number of bytes, or one with KB, MB or GB");
  const unit = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }[match[2]?.toLowerCase() ?? ""] ?? 1;
  return Number(match[1]) * unit;
}

/** Signal name without `SIG`, from a name with or without it, or a number. */
export function signalName(text: string): string {
  const signals: Readonly<Record<string, number>> = constants.signals;
  const wanted = text.trim().toUpperCase();
  const byNumber = Object.entries(signals).find(([, number]) => String(number) === wanted)?.[0];
  const name = byNumber ?? (wanted.startsWith("SIG") ? wanted : `SIG${wanted}`);
  if (!Object.hasOwn(signals, name)) {
    throw new ValueError("expected a signal: TERM, HUP, INT, QUIT, KILL, USR1 or USR2");
  }
  return name.slice(3);
}

export function exitCodes(text: string): readonly number[] {
  if (text.trim() === "") return [];
  const codes = text.split(",").map((part) => {
    if (!/^\s*\d+\s*$/.test(part)) throw new ValueError("expected exit codes separated by commas");
    return Number(part);
  });
  if (codes.some((code) => code > 255)) throw new ValueError("an exit code is 0 to 255");
  return codes;
}

export type Autorestart = "always" | "unexpected" | "never";

export function autorestart(text: string): Autorestart {
  if (text.toLowerCase() === "unexpected") return "unexpected";
  try {
    return boolean(text) ? "always" : "never";
  } catch (cause) {
    throw new ValueError("expected unexpected, true or false", { cause });
  }
}

/** A program and its arguments, with no shell in between. */
export function commandWords(text: string): readonly string[] {
  const words = splitShellWords(text);
  if (words.length === 0 || words[0] === "") throw new ValueError("the command is empty");
  if (text.includes("\0")) throw new ValueError("a NUL byte");
  return words;
}

export function processName(text: string): string {
  const name = text.trim();
  if (/[ :/]/.test(name)) throw new ValueError("a name must not hold a space, a colon or a slash");
  return name;
}

/** Where a stream goes. `auto`: a file that the engine names. */
export type LogTarget =
  | { readonly kind: "none" }
  | { readonly kind: "auto" }
  | { readonly kind: "syslog" }
  | { readonly kind: "file"; readonly path: string };

export function logTarget(text: string): LogTarget {
  const value = text.toLowerCase();
  if (value === "none" || value === "off") return { kind: "none" };
  if (value === "auto") return { kind: "auto" };
  if (value === "syslog") return { kind: "syslog" };
  if (text.includes("\0") || text === "") throw new ValueError("expected a path, AUTO or NONE");
  return { kind: "file", path: text };
}
