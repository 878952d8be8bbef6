/** Compares versions number by number and text by text: 1.9 comes before 1.10, and 1.3-rc1 before 1.3. */
export function compareVersions(left: string, right: string): number {
  const a = split(left);
  const b = split(right);
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareParts(a[at], b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

type Part = number | string;

function split(version: string): Part[] {
  return (version.match(/\d+|[a-z]+/gi) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));
}

/** Missing counts as 0 beside a number; text, as of a pre-release, comes before its lack. */
function compareParts(a: Part | undefined, b: Part | undefined): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string") return -1;
  if (typeof b === "string") return 1;
  return Math.sign((a ?? 0) - (b ?? 0));
}
