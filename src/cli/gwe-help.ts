import { describeFlags } from "./arguments.ts";
import { buildFlags, printFlags, runFlags, setFlags } from "./gwe-flags.ts";

export const gweHelp = `usage: gwe                        run the engine in the foreground
       gwe OPTION...              configure, or ask for something
       gwe COMMAND [ARGUMENT...]  speak to the running engine

Commands:
  status [--json]         Engine, activation, last check-in, applications, jobs.
  logs APP [-f] [-n N]    The last lines of an application's log (gwe: the engine's).
  start|stop|restart APP  Control an application.
  install FILE...         Install applications from files; works without the engine.
  remove APP              Remove an application; works without the engine.
  history [APP] [--output] [--json]
                          What was installed and asked for, and what came of it.
  check-in                Check in now.
  fleet COMMAND           For the owner of many gateways, on any machine; fleet -h explains.
  setup [OPTION...]       Set the gateway up: configure, check the connection,
                          activate. Asks, or takes --product-id ID, --iface IFACE or
                          --serial SERIAL, --server-url URL, --ca-file FILE, --file FILE,
                          --offline, --replace, --start.
  doctor [--json] [-q]    What is wrong with this gateway, and how to mend it.
  support-bundle [-o FILE]
                          Logs and state without secrets, in one archive.
  prepare-image [--yes]   Forget serial number, CIKs, journal and queue, so that
                          the disk can be cloned.
  import [--dry-run]      Take identity, settings and applications over from an
                          original Gateway Engine on this machine.

Print:
${describeFlags(printFlags)}

Run:
${describeFlags(runFlags)}

Configure (can be combined; '' clears a value or restores its default; prints
the resulting configuration; a running engine takes it up at its next start):
${describeFlags(setFlags)}

Build packages (one of -x, -w, -y, -z; on any machine):
${describeFlags(buildFlags)}

Exit status: 0 done, 1 failed, 2 wrong usage, 3 the engine is not running,
4 permission denied, 255 the configuration is incomplete or invalid.
GWE_HOME=DIR puts everything of one engine under DIR.
`;
