/** Year 9999: what is beyond is no unix time in seconds (milliseconds, perhaps). */
const lastSecond = 253_402_300_799;
const pattern = /^(\d{1,12})(?:\.(\d{1,9}))?$/;

/** Unix seconds, with a fraction if need be, as whole milliseconds, rounded down; undefined for anything else. */
export function parseTimestampMs(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]);
  if (seconds > lastSecond) return undefined;
  // From the digits: a product of a fraction would be a millisecond off now and then.
  return seconds * 1000 + Number((match[2] ?? "").slice(0, 3).padEnd(3, "0"));
}
