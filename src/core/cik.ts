import type { IniDocument } from "./ini.ts";
import { redactedMark } from "./redact.ts";

const cikPattern = /^[0-9a-zA-Z]{40}$/;

export const cikRule = "a CIK has 40 letters and digits, or is '' when the gateway is not activated";

export function isCik(value: string): boolean {
  return cikPattern.test(value);
}

/** The original engine writes two quotes for "nothing"; typed or read, they mean the empty string. */
export function unquoteEmpty(value: string): string {
  return value === "''" || value === '""' ? "" : value;
}

/** The gateway's CIK as written in `Gateway.cfg`: empty when not activated, undefined when it is not a CIK. */
export function cikIn(document: IniDocument): string | undefined {
  const value = unquoteEmpty(document.get("device", "cik")?.value ?? "");
  return value === "" || isCik(value) ? value : undefined;
}

/** Takes whatever looks like a CIK out of a text, wherever it may have come from. */
export function maskCiks(text: string): string {
  return text.replace(/(?<![0-9a-zA-Z])[0-9a-zA-Z]{40}(?![0-9a-zA-Z])/g, redactedMark);
}
