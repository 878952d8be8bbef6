import { parseArguments } from "./arguments.ts";
import { type Examination, examine } from "./doctor/doctor.ts";
import type { Finding } from "./doctor/finding.ts";
import { UsageError } from "./errors.ts";
import { exitStatus } from "./exit-status.ts";
import type { GweContext } from "./gwe-context.ts";
import { printable } from "./terminal.ts";

const flags = [
  { long: "json", help: "Print it as JSON." },
  { long: "quiet", short: "q", help: "Only what is wrong." },
] as const;

/** `gwe doctor [--json] [--quiet]`: what is wrong, and how to mend it. Status 1 where something is. */
export async function runDoctor(argv: readonly string[], { terminal, paths }: GweContext): Promise<number> {
  const { flags: given, positionals } = parseArguments(flags, argv);
  if (positionals.length > 0) throw new UsageError("usage: gwe doctor [--json] [--quiet]");
  const examination = await examine({ paths, env: terminal.env, now: Date.now });
  await terminal.write(
    given.has("json")
      ? `${JSON.stringify(examination, null, 2)}\n`
      : describeExamination(examination, given.has("quiet")),
  );
  return examination.findings.some(({ level }) => level === "fault") ? exitStatus.failed : exitStatus.ok;
}

const marks: Readonly<Record<Finding["level"], string>> = {
  ok: "ok",
  note: "note",
  warning: "WARNING",
  fault: "FAULT",
};

/** One line for each finding, with what to do about it below. */
export function describeExamination({ findings }: Examination, isQuiet: boolean): string {
  const shown = isQuiet ? findings.filter(({ level }) => level === "fault" || level === "warning") : findings;
  const lines = shown.flatMap((finding) => describeFinding(finding));
  return `${[...lines, summary(findings)].join("\n")}\n`;
}

/** Also of a part of an examination. */
export function describeFinding({ area, level, text, remedy }: Finding): readonly string[] {
  const line = `${marks[level].padEnd(8)}${area.padEnd(14)} ${printable(text)}`;
  return remedy === undefined ? [line] : [line, `${" ".repeat(23)}-> ${printable(remedy)}`];
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]): number =>
    findings.filter((finding) => finding.level === level).length;
  const [faults, warnings] = [count("fault"), count("warning")];
  if (faults + warnings === 0) return "Nothing is wrong.";
  const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${plural(faults, "fault")}, ${plural(warnings, "warning")}.`;
}
