import { unquoteEmpty } from "../core/cik.ts";
import type { SettingTexts } from "./settings-trial.ts";
import { cutText } from "./text.ts";

/** Far more than there are settings, and longer than any may be: what is refused is not kept in the journal. */
const maxSettings = 64;
const maxTextLength = 1_000;

export type ParsedSettings =
  | { readonly kind: "settings"; readonly settings: SettingTexts }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Reads the value of `configure`: an object of texts, numbers and truth values; null, like the empty text, restores a
 * default. Which keys there are and what they may hold is asked later, of the configuration itself.
 */
export function parseSettings(value: unknown): ParsedSettings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refused('"configure" expects {"<key>":"<value>"}');
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return refused('"configure" names no setting');
  if (entries.length > maxSettings) return refused(`"configure" has more than ${maxSettings} settings`);
  const settings: Record<string, string> = {};
  const faults: string[] = [];
  for (const [key, given] of entries) {
    const text = textOf(given);
    // Defined, not assigned: "__proto__" is a key like any other here.
    if (text === undefined) faults.push(`${shown(key)}: expected a text, a number, true, false or null`);
    else if (text.length > maxTextLength)
      faults.push(`${shown(key)}: longer than ${maxTextLength} characters`);
    else Object.defineProperty(settings, key, { value: text, enumerable: true });
  }
  return faults.length > 0 ? refused(faults.join("; ")) : { kind: "settings", settings };
}

function textOf(value: unknown): string | undefined {
  if (value === null) return "";
  if (typeof value === "string") return unquoteEmpty(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function shown(key: string): string {
  return JSON.stringify(cutText(key, 50));
}

function refused(reason: string): ParsedSettings {
  return { kind: "refused", reason };
}
