/** What one look at the gateway brought. */
export interface Finding {
  /** The area that an operator would be asked about. */
  readonly area: Area;
  /** `fault`: something does not work; `warning`: it soon may not, or hides something; `note`: could not be looked at. */
  readonly level: "ok" | "note" | "warning" | "fault";
  /** One line: what is, with the figures that matter. Never a secret. */
  readonly text: string;
  /** What to do about it, as a command where that can be. */
  readonly remedy?: string;
}

export const areas = [
  "configuration",
  "network",
  "dns",
  "tls",
  "clock",
  "murano",
  "disk",
  "memory",
  "permissions",
  "ports",
  "engine",
  "pm2",
  "applications",
  "systemd",
] as const;
export type Area = (typeof areas)[number];

export function ok(area: Area, text: string): Finding {
  return { area, level: "ok", text };
}

export function note(area: Area, text: string, remedy?: string): Finding {
  return { area, level: "note", text, ...(remedy !== undefined && { remedy }) };
}

export function warning(area: Area, text: string, remedy: string): Finding {
  return { area, level: "warning", text, remedy };
}

export function fault(area: Area, text: string, remedy: string): Finding {
  return { area, level: "fault", text, remedy };
}
