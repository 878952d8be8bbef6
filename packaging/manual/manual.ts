import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../release/run.ts";
import { bashCompletion } from "./bash-completion.ts";
import { parseHelp } from "./help-text.ts";
import { manPage } from "./man-page.ts";

const summaries = {
  gwe: "configure and run Gateway Engine, and speak to it",
  gdc: "the Exosite Device API from the shell",
  gmq: "show and steer Gateway Engine's store-and-forward queue",
} as const;

/** Writes man pages and completions for bash of the commands built in `root` to `target`, as /usr/share has them. */
export function writeManual(root: string, target: string): void {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const pages = join(target, "man/man1");
  const completions = join(target, "bash-completion/completions");
  for (const directory of [pages, completions]) mkdirSync(directory, { recursive: true });
  for (const [command, summary] of Object.entries(summaries)) {
    const help = parseHelp(run(process.execPath, [join(root, `dist/${command}.js`), "-h"], root));
    const seeAlso = Object.keys(summaries).filter((other) => other !== command);
    writeFileSync(join(pages, `${command}.1`), manPage(help, { command, summary, version, seeAlso }));
    writeFileSync(join(completions, command), bashCompletion(command, help));
  }
}
