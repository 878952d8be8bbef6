import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseHelp } from "../../../packaging/manual/help-text.ts";
import { writeManual } from "../../../packaging/manual/manual.ts";

const directory = mkdtempSync(join(tmpdir(), "gwe-manual-"));
writeManual(join(import.meta.dirname, "../../.."), directory);
afterAll(() => rmSync(directory, { recursive: true }));

function page(command: string): string {
  return readFileSync(join(directory, `man/man1/${command}.1`), "utf8");
}

/** What bash offers at the end of a command line. */
function completions(line: string): readonly string[] {
  const words = line.split(" ");
  const [command = ""] = words;
  const file = join(directory, "bash-completion/completions", command);
  const script = `. ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gateway_engine_${command}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-uc", script, "bash", ...words], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

it.each(["gwe", "gdc", "gmq"])("%s -h is in its man page, option by option", (command) => {
  const root = join(import.meta.dirname, "../../..");
  const { stdout } = spawnSync(process.execPath, [join(root, `dist/${command}.js`), "-h"], {
    encoding: "utf8",
  });
  // In the page as roff: `-` and `'` have names there.
  const text = page(command).replaceAll("\\-", "-").replaceAll("\\(aq", "'").replaceAll("\\&", "");
  const entries = parseHelp(stdout).sections.flatMap((section) => section.entries);
  expect(entries.length).toBeGreaterThan(8);
  for (const { head, text: explanation } of entries) {
    expect(text).toContain(`.B ${head}\n${explanation}`);
  }
  expect(text).toMatch(/^\.SH EXIT STATUS$/m);
});

describe("completion", () => {
  it("knows commands, options and what follows them", () => {
    expect(completions("gwe st")).toEqual(["status", "start", "stop"]);
    expect(completions("gwe --set-u")).toEqual(["--set-uuid", "--set-update-interval", "--set-user-agent"]);
    expect(completions("gwe history --")).toEqual(["--output", "--json"]);
    expect(completions("gmq dead re")).toEqual(["retry"]);
    expect(completions("gdc content l")).toEqual(["list"]);
    expect(completions("gwe --set-iface l")).toContain("lo");
    expect(completions("gwe -d W")).toEqual(["WARNING"]);
  });

  it("offers nothing of its own where a value of the user's stands", () => {
    expect(completions("gwe --set-cik ")).toEqual([]);
    expect(completions("gdc write ")).toEqual([]);
  });

  it("goes on after an option without a value", () => {
    expect(completions("gwe -o --install")).toEqual(["--install-apps"]);
  });
});

describe("parseHelp", () => {
  it("takes a remark beside a title for text", () => {
    const { sections } = parseHelp("usage: x\n\nBuild (one of\n-a, -b):\n  -a  One.\n");
    expect(sections).toEqual([
      { title: "Build", text: ["One of", "-a, -b."], entries: [{ head: "-a", text: "One." }] },
    ]);
  });

  it("refuses a line that is no part of a help text", () => {
    expect(() => parseHelp("usage: x\n\n      -a  too far in\n")).toThrow(SyntaxError);
    expect(() => parseHelp("how to use it")).toThrow("no usage");
  });
});
