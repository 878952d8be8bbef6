/** Load: one update of the engine after the other; versions that prove themselves, end at once, or hear nothing. */
import { silentLogger } from "../../../src/core/logger.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { EngineUpdate } from "../../../src/daemon/engine-update.ts";
import { EventLog, readEvents } from "../events.ts";
import { Dice } from "../random.ts";
import type { LoadRequest } from "../scenario.ts";
import { neverSync } from "../without-sync.ts";
import { mostStarts, type UpdateEvent, type Verdict } from "./events.ts";
import { SmallInstallation } from "./installation.ts";

const updates = 6;

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
if (request.control) neverSync();
const dice = new Dice(request.seed);
const history = readEvents<UpdateEvent>(request.history);
const events = new EventLog<UpdateEvent>(request.events, request.writeLog);
const there = new SmallInstallation(request.directory, request.control ? "never" : "of this disk alone");

if (request.life === 0) there.activate();
events.note({ kind: "found", state: there.state() });
// The cut may have come in the middle of one.
if (there.state().trial !== null) await tryOut();
const last = Math.max(0, ...history.map((event) => ("number" in event ? event.number : 0)));
for (let number = last + 1; number <= last + updates; number += 1) {
  await step({ step: "install", number }, () => there.install(number));
  await tryOut();
}
there[Symbol.dispose]();

/** From the first start of a version to the end of its trial. */
async function tryOut(): Promise<void> {
  const crashes = dice.between(0, mostStarts + 1);
  for (let starts = 0; starts < crashes && there.state().trial !== null; starts += 1) await start();
  await start();
  if (there.state().trial === null) return;
  const verdict = dice.pick(["proved", "proved", "forgiven-and-proved", "given-up"] as const);
  await step({ step: verdict }, () => judge(verdict));
}

async function start(): Promise<void> {
  await step({ step: "start" }, () => void there.start());
}

/** By the engine itself, with a Murano that hears it at once, is away for a while, or does not hear it at all. */
async function judge(verdict: Verdict): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let isAway = verdict === "forgiven-and-proved";
  const engine = new EngineUpdate({
    paths: pathsUnder(null),
    installation: there.engine(),
    checkedIn: async () => verdict !== "given-up" && !isAway,
    lastTrouble: () => undefined,
    reaches: async () => {
      const isReached = !isAway;
      isAway = false;
      return isReached;
    },
    restart: ended.resolve,
    report: () => undefined,
    logger: silentLogger,
  });
  const signal = new AbortController().signal;
  engine.start(signal, true);
  await Promise.race([ended.promise, engine.outcome(signal)]);
}

async function step(
  what: { readonly step: "install"; readonly number: number } | { readonly step: "start" | Verdict },
  perform: () => Promise<void> | void,
): Promise<void> {
  events.note({ kind: "begun", ...what });
  await perform();
  events.note({ kind: "done", ...what });
}
