import { maskCiks } from "../../core/cik.ts";
import { type Redact, redactedMark, redactor } from "../../core/redact.ts";

/** What a key is called whose value is nobody's business, in configuration, logs, command lines and JSON. */
const secretName =
  "[A-Za-z0-9_.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential|private[_-]?key)[A-Za-z0-9_-]*";

const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, redactedMark],
  // https://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${redactedMark}@`],
  [/(\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, `$1${redactedMark}`],
  [/(\b(?:x-exosite-(?:cik|token)|set-cookie|cookie)["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, `$1${redactedMark}`],
  [
    new RegExp(`(\\b${secretName}["']?\\s*[:=]\\s*)(?:"[^"\\r\\n]*"|'[^'\\r\\n]*'|[^\\s,;&}]+)`, "gi"),
    `$1${redactedMark}`,
  ],
  [new RegExp(`(--${secretName}\\s+)(?!-)\\S+`, "gi"), `$1${redactedMark}`],
];

/**
 * Takes out of a text the secrets that are known, whatever is shaped like a CIK, private keys, passwords in URLs, and
 * values of keys whose names say that they are secret. What an application calls otherwise it cannot know.
 */
export function secretMask(known: readonly string[]): Redact {
  // Longest first: one may be part of another.
  const hide = redactor(() => [...known].sort((a, b) => b.length - a.length));
  return (text) =>
    patterns.reduce((masked, [pattern, by]) => masked.replace(pattern, by), maskCiks(hide(text)));
}
