import { engineVersion, resolvePaths } from "../../config/index.ts";
import { ControlClient } from "../control-client.ts";
import { runAsProcess, type Terminal } from "../terminal.ts";
import { runLine } from "./actions.ts";
import { usage } from "./help.ts";
import { parseOptions } from "./options.ts";
import { Session } from "./session.ts";

/** `supervisorctl` as a process of its own. */
export function main(): Promise<void> {
  return runAsProcess("supervisorctl", run);
}

async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { help, words } = parseOptions(argv);
  if (help) {
    await terminal.write(usage);
    return 0;
  }
  const paths = resolvePaths(terminal.env);
  const session = new Session({
    terminal,
    client: new ControlClient({ socketPath: paths.controlSocket }),
    socketPath: paths.controlSocket,
    withoutEngine: async () => (await import("./without-engine.ts")).processesWithoutEngine(paths),
    version: engineVersion,
  });
  if (words.length === 0) {
    await shell(session);
    return 0;
  }
  await runLine(session, words.join(" "));
  return session.exitStatus;
}

/** Reads actions line by line, as supervisorctl does in a terminal, or from a script's here-document. */
async function shell(session: Session): Promise<void> {
  await runLine(session, "status");
  await session.terminal.write("supervisor> ");
  for await (const line of session.terminal.lines()) {
    if (!(await runLine(session, line))) return;
    await session.terminal.write("supervisor> ");
  }
  await session.print("");
}
