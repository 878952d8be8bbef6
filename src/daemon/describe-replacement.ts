import type { Replacement } from "../platform/sqlite.ts";

/** What became of a damaged database, for Murano and its operator. */
export function describeReplacement(what: string, { reason, setAside, tables }: Replacement): string {
  const rows = tables
    ?.filter(({ copied, refused, damaged }) => copied > 0 || refused > 0 || damaged)
    .map(({ table, copied, refused, damaged }) => {
      const lost = damaged ? ", the rest could not be read" : refused > 0 ? `, ${refused} spoilt` : "";
      return `${table} ${copied}${lost}`;
    });
  const brought = rows === undefined ? "" : `; rows brought over: ${rows.join("; ") || "none"}`;
  return `the ${what} was damaged (${reason}) and a fresh one was started; the old is ${setAside}${brought}`;
}
