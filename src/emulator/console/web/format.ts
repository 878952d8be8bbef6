/** Texts for people. */

const units = ["B", "kB", "MB", "GB", "TB"];

/** `1.2 MB` */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `3 min`: the largest unit that fits. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function ago(ts: number | null, now: number): string {
  if (ts === null) return "never";
  const passed = now - ts;
  return passed < 5 ? "now" : `${duration(passed)} ago`;
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function time(ts: number): string {
  return dateTime.format(ts * 1000);
}

const counts = new Intl.NumberFormat();

export function count(value: number): string {
  return counts.format(value);
}

/** `1 gateway`, `2 gateways` */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}
