import type { HelpEntry, HelpText } from "./help-text.ts";

export interface PageFacts {
  readonly command: string;
  /** What it is for, in a line. */
  readonly summary: string;
  readonly version: string;
  readonly seeAlso: readonly string[];
}

/** Where a gateway has what the commands work on; docs/installation.md has all of it. */
const files = [
  ["/etc/gateway-engine/", "configuration: Gateway.cfg, Engine.config, gmq.cfg, logging.cfg, keys/"],
  ["/var/lib/gateway-engine/", "state and installed applications"],
  ["/opt/gateway-engine/current/docs/", "the manuals at length"],
] as const;

/** A man page, section 1, in man(7)'s macros. It has no date: the same version gives the same page. */
export function manPage(help: HelpText, facts: PageFacts): string {
  const { command, summary, version, seeAlso } = facts;
  const lines = [
    `.TH ${command.toUpperCase()} 1 "" "Gateway Engine ${version}" "Gateway Engine"`,
    ".SH NAME",
    `${command} \\- ${roff(summary)}`,
    ".SH SYNOPSIS",
  ];
  const usage =
    help.usage.length > 0 ? help.usage : (help.sections[0]?.entries.map(({ head }) => head) ?? []);
  for (const line of usage) lines.push(...synopsis(command, line));
  for (const { title, text, entries } of help.sections) {
    lines.push(`.SH ${(title ?? (entries.length > 0 ? "Options" : "Description")).toUpperCase()}`);
    lines.push(...text.map(textLine), ...entries.flatMap(entry));
  }
  lines.push(".SH FILES", ...files.flatMap(([head, text]) => entry({ head, text })));
  lines.push(".SH SEE ALSO", seeAlso.map((page) => `.BR ${page} (1)`).join(" ,\n"));
  return `${lines.join("\n")}\n`;
}

function synopsis(command: string, line: string): readonly string[] {
  // Two spaces or more part what is typed from what it does.
  const [typed = ""] = line.split(/ {2,}/);
  const rest = typed.startsWith(command) ? typed.slice(command.length).trim() : typed;
  return [`.B ${command}`, ...(rest === "" ? [] : [textLine(rest)]), ".br"];
}

function entry({ head, text }: HelpEntry): readonly string[] {
  return [".TP", `.B ${roff(head)}`, ...(text === "" ? [] : text.split("\n").map(textLine))];
}

/** A line that begins with a dot or an apostrophe would be a request. */
function textLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${roff(line)}` : roff(line);
}

function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq");
}
