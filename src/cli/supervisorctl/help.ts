/** What each action takes, and what it does, as `help ACTION` prints it. */
const topics: Readonly<Record<string, readonly string[]>> = {
  add: ["add <name> [...]\tAccepted; an installed application is active already."],
  avail: ["avail\t\t\tList all processes that there are, running or not."],
  clear: ["clear <name> [...]\tEmpty the log files of processes.", "clear all\t\tEmpty all of them."],
  exit: ["exit\tLeave this shell."],
  fg: ["fg <process>\tNot available: applications have no standard input here."],
  maintail: [
    "maintail\tThe last 1600 bytes of the engine's own log.",
    "maintail -100\tThe last 100 bytes of it.",
    "maintail -f\tThe end of it, and what comes (Ctrl-C ends).",
  ],
  open: ["open <url>\tNot available: there is one engine, and its socket is known."],
  pid: [
    "pid\t\t\tThe pid of the engine.",
    "pid <name>\t\tThe pid of one process, 0 when it does not run.",
    "pid all\t\t\tThat of each, one a line.",
  ],
  quit: ["quit\tLeave this shell."],
  reload: ["reload\t\t\tStart every process anew, as its configuration now says."],
  remove: ["remove <name> [...]\tNot available: 'gwe remove' uninstalls an application."],
  reread: ["reread\t\t\tTell whose configuration has changed since it was started."],
  restart: [
    "restart <name> [...]\tStop and start processes.",
    "restart <gname>:*\tAll processes of a group.",
    "restart all\t\tAll there are.",
    "Their configuration is read at the start.",
  ],
  shutdown: ["shutdown\tNot available: the engine is stopped by its service manager."],
  signal: [
    "signal <signal> <name> [...]\tSend processes a signal, by name or number.",
    "signal <signal> <gname>:*\tAll processes of a group.",
    "signal <signal> all\t\tAll there are.",
  ],
  start: [
    "start <name> [...]\tStart processes, and keep them wanted.",
    "start <gname>:*\t\tAll processes of a group.",
    "start all\t\tAll there are.",
  ],
  status: [
    "status\t\t\tThe state of all processes.",
    "status <name> [...]\tThat of some.",
    "status <gname>:*\tThat of a group.",
  ],
  stop: [
    "stop <name> [...]\tStop processes until they are started again, also across reboots.",
    "stop <gname>:*\t\tAll processes of a group.",
    "stop all\t\tAll there are.",
  ],
  tail: [
    "tail <name> [stdout|stderr]\tThe last 1600 bytes of a process' log; stdout by default.",
    "tail -100 <name>\t\tThe last 100 bytes.",
    "tail -f <name>\t\t\tThe end of it, and what comes (Ctrl-C ends).",
  ],
  update: [
    "update\t\t\tStart anew what has a changed configuration.",
    "update <gname> [...]\tOnly of these.",
  ],
  version: ["version\t\t\tThe version of the engine."],
};

/** @returns undefined when there is no such action */
export function helpFor(action: string): string | undefined {
  return topics[action]?.join("\n");
}

const columns = 7;

/** All actions, in columns. */
export function helpOverview(): string {
  const names = Object.keys(topics).sort();
  const rows = Math.ceil(names.length / columns);
  const lines = Array.from({ length: rows }, (_, row) =>
    names
      .filter((_, index) => index % rows === row)
      .map((name) => name.padEnd(10))
      .join("")
      .trimEnd(),
  );
  const head = "default commands (type help <topic>):";
  return ["", head, "=".repeat(head.length), ...lines, ""].join("\n");
}

export const usage = `supervisorctl: supervisord's command line, for the applications of Gateway Engine

usage: supervisorctl [OPTION...] [ACTION [ARGUMENT...]]

Without an action it reads actions from standard input, one a line.

  -h, --help            print this text
  -c FILE, -s URL, -u NAME, -p PASSWORD, -r FILE, -i, and their long forms
                        supervisorctl's own; accepted, of no effect here

Actions: ${Object.keys(topics).sort().join(", ")}.
'help ACTION' explains one. GWE_HOME tells which engine is meant.
`;
