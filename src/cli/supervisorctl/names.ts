/** What a word on the command line means: a process, or, without one, all of a group. */
export interface ProcessName {
  readonly group: string;
  readonly process?: string;
}

/** `meter`, `web:web_1`, `web:*`; a process that is alone in its group has the group's name. */
export function parseName(word: string): ProcessName {
  const colon = word.indexOf(":");
  if (colon < 0) return { group: word, process: word };
  const group = word.slice(0, colon);
  const process = word.slice(colon + 1);
  return process === "" || process === "*" ? { group } : { group, process };
}

export function formatName(group: string, process: string): string {
  return group === process ? process : `${group}:${process}`;
}
