import type { SerialRange } from "./types.ts";

const macPatterns = {
  "mac:48": /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/,
  "mac-48": /^[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}$/,
  "mac.48": /^[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}$/,
} as const;

/** Whether a range allows this serial. Never expands the range: one may hold 2^48 serials. */
export function rangeHolds(range: SerialRange, sn: string): boolean {
  const number = numberOf(range, sn);
  return number !== undefined && number >= BigInt(range.first) && number <= BigInt(range.last);
}

function numberOf(range: SerialRange, sn: string): bigint | undefined {
  if (range.casing === "upper" && sn !== sn.toUpperCase()) return undefined;
  if (range.casing === "lower" && sn !== sn.toLowerCase()) return undefined;
  switch (range.format) {
    case "base10":
      return sn.length === range.length && /^[0-9]+$/.test(sn) ? BigInt(sn) : undefined;
    case "base16":
      return sn.length === range.length && /^[0-9A-Fa-f]+$/.test(sn) ? BigInt(`0x${sn}`) : undefined;
    default:
      return macPatterns[range.format].test(sn) ? BigInt(`0x${sn.replaceAll(/[:.-]/g, "")}`) : undefined;
  }
}
