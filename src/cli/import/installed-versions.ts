import type { IniDocument } from "../../core/ini.ts";

/**
 * App → version, as the original kept it: a list of dictionaries with one entry each (`[{'counter': '1.2'}, …]`), a
 * dictionary of all, in Python's spelling or JSON's, under whatever key; or a section of its own with a key for each.
 */
export function installedVersions(engineConfig: IniDocument): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const { section, key, value } of engineConfig.entries) {
    for (const [app, version] of pairsIn(value)) versions.set(app, version);
    if (/^(apps?|versions?|installed)/i.test(section) && /^[\w.+-]+$/.test(value)) versions.set(key, value);
  }
  return versions;
}

const quoted = /(?:u|b)?'((?:[^'\\]|\\.)*)'|(?:u|b)?"((?:[^"\\]|\\.)*)"/.source;
const pair = new RegExp(`(?:${quoted})\\s*:\\s*(?:${quoted}|(-?[\\d.]+))`, "g");

function pairsIn(value: string): readonly (readonly [string, string])[] {
  const text = value.trim();
  if (!/^[[{]/.test(text)) return [];
  return [...text.matchAll(pair)].map((match) => {
    const [, single, double, singleValue, doubleValue, number] = match;
    return [single ?? double ?? "", singleValue ?? doubleValue ?? number ?? ""];
  });
}
