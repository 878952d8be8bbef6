import { DeviceClient, withRetry } from "../device-client/index.ts";
import { describeFlags, type Flag, parseArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import { content } from "./fleet/content.ts";
import { deploy } from "./fleet/deploy.ts";
import type { FleetCommand } from "./fleet/fleet-call.ts";
import { OwnerApi } from "./fleet/owner-api.ts";
import { OwnerHttp } from "./fleet/owner-http.ts";
import { rollout } from "./fleet/rollout.ts";
import { add, enable, swap } from "./fleet/serials.ts";
import { ownerServer } from "./fleet/settings.ts";
import { status } from "./fleet/status.ts";
import { tag } from "./fleet/tags.ts";
import { read, write } from "./fleet/values.ts";
import type { GweContext } from "./gwe-context.ts";
import { suggestion } from "./suggestion.ts";

const selectionFlags: readonly Flag[] = [
  { long: "product", takes: "value", value: "ID", help: "Of this product; else of all of the owner's." },
  { long: "sn", takes: "value", value: "PATTERN", help: "With such a serial: 'A*,B?' is either." },
  { long: "tag", takes: "value", value: "PATTERN", help: "With such a tag: 'pilot,lab-*' is either." },
  { long: "group", takes: "value", value: "GROUP", help: "In this group of the server, or a group in it." },
  { long: "all", help: "All of them." },
];

const flags: readonly Flag[] = [
  { long: "help", short: "h", help: "Print this text." },
  { long: "url", takes: "value", value: "URL", help: "The server (GWE_FLEET_URL; else Gateway.cfg's)." },
  { long: "cik-file", takes: "value", value: "FILE", help: "Holds the owner's CIK (else GWE_OWNER_CIK)." },
  { long: "json", short: "j", help: "Print the result as one line of JSON." },
];

const commandFlags: readonly Flag[] = [
  { long: "command", takes: "value", value: "JSON", help: 'Such as \'{"restart":["meter"]}\'.' },
  { long: "upload", help: "deploy: the packages are files, to be uploaded first." },
  { long: "wait", takes: "value", value: "S", help: "deploy: follow what comes of it, so long at most." },
  { long: "dry-run", help: "deploy: only tell which gateways are chosen." },
  { long: "meta", takes: "value", value: "TEXT", help: "content upload: the content's meta text." },
  { long: "remove", help: "tag: take these tags away." },
  { long: "enable", help: "add: open activation for the new serials." },
  { long: "filter", takes: "value", value: "FILTER", help: "rollout start: which gateways." },
  { long: "install", takes: "value", value: "PACKAGE", help: "rollout start: what to install." },
  { long: "waves", takes: "value", value: "LIST", help: "rollout start: shares or counts, cumulative." },
  { long: "success", takes: "value", value: "PERCENT", help: "rollout start: needed before the next wave." },
  { long: "max-failures", takes: "value", value: "PERCENT", help: "rollout start: more stop it." },
  { long: "soak", takes: "value", value: "S", help: "rollout start: pause between two waves." },
  {
    long: "absent-after",
    takes: "value",
    value: "S",
    help: "rollout start: untaken so long: not waited for.",
  },
  { long: "result-within", takes: "value", value: "S", help: "rollout start: silent so long: failed." },
  { long: "watch", help: "rollout start: follow it." },
  { long: "state", takes: "value", value: "STATE", help: "rollout gateways: only these." },
];

const selection = selectionFlags.map(({ long }) => long);

/** Beside those of all commands. */
const optionsOf = new Map<string, readonly string[]>(
  Object.entries({
    status: selection,
    deploy: [...selection, "command", "upload", "meta", "wait", "dry-run"],
    content: ["meta"],
    read: selection,
    write: selection,
    add: ["enable"],
    tag: [...selection, "remove"],
    rollout: [
      ...["filter", "install", "command", "waves", "success", "max-failures", "soak"],
      ...["absent-after", "result-within", "watch", "state"],
    ],
  }),
);

const commands = new Map<string, FleetCommand>(
  Object.entries({ status, deploy, content, read, write, add, enable, swap, tag, rollout }),
);

const help = `usage:
${[...commands.values()].map(({ usage, help }) => `  gwe fleet ${usage}\n${" ".repeat(26)}${help}`).join("\n")}

Works through the management side of the Device API and RPC with the owner's
CIK, against any Murano-compatible server; 'rollout' and 'tag' need the console's
server.
A command that a gateway has not taken yet is never overwritten.

SELECTION (all that is given must hold):
${describeFlags(selectionFlags)}

${describeFlags([...flags, ...commandFlags])}

Exit status: 0 done, 1 failed at some gateway or altogether, 2 wrong usage,
5 the server cannot be reached now, 6 the CIK is refused, 8 refused: it is
there already, or its state does not allow it.
`;

/** `gwe fleet …`: for the owner of gateways, on any machine (docs/gwe-fleet.md). */
export async function runFleet(argv: readonly string[], context: GweContext): Promise<number> {
  const { flags: options, positionals } = parseArguments(
    [...flags, ...selectionFlags, ...commandFlags],
    argv,
  );
  const { terminal } = context;
  const [word, ...words] = positionals;
  if (options.has("help") || word === "help") {
    await terminal.write(help);
    return 0;
  }
  const command = commands.get(word ?? "");
  if (command === undefined) {
    if (word === undefined) throw new UsageError("nothing to do; gwe fleet -h explains");
    const meant = suggestion(word, [...commands.keys()]);
    throw new UsageError(
      `unknown command '${word}'${meant ? `: did you mean '${meant}'?` : "; gwe fleet -h lists all"}`,
    );
  }
  requireOwnOptions(word ?? "", options.keys());
  const server = ownerServer(
    { url: options.get("url")?.at(-1), cikFile: options.get("cik-file")?.at(-1) },
    context,
  );
  const http = new OwnerHttp(server);
  const device = new DeviceClient({
    baseUrl: server.baseUrl,
    cik: server.cik,
    ca: server.ca,
    userAgent: "gwe-fleet",
    proxyEnvironment: server.env,
    // A page of values, each of 64 KiB at most.
    maxAnswerBytes: 8 * 1024 * 1024,
  });
  try {
    const owner = new OwnerApi(http, withRetry(device, { attempts: 4 }));
    return await command.run({ owner, http, words, options, terminal });
  } finally {
    device.close();
    http.close();
  }
}

/** What another command takes would be passed over, and a filter that is passed over chooses all. */
function requireOwnOptions(command: string, given: Iterable<string>): void {
  const own = [...flags.map(({ long }) => long), ...(optionsOf.get(command) ?? [])];
  for (const option of given) {
    if (own.includes(option)) continue;
    throw new UsageError(`--${option} is no option of 'gwe fleet ${command}'; gwe fleet -h lists all`);
  }
}
