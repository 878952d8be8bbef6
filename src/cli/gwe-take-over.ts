import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { installationPath } from "../platform/installation-path.ts";
import { parseArguments } from "./arguments.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { carryOut } from "./import/carry-out.ts";
import { askEngine, tellMurano } from "./take-over/outcome.ts";
import { preflight } from "./take-over/preflight.ts";
import { runTakeOver, type TakeOverContext } from "./take-over/run-take-over.ts";
import { machineServices } from "./take-over/service-system.ts";
import { describeLimit, TakeOverJournal } from "./take-over/state.ts";
import { enable, foreignCommands, machinePlaces, type StepContext, takeOverUnit } from "./take-over/steps.ts";

const flags = [
  {
    long: "delay",
    takes: "value",
    value: "S",
    help: "Before the original is stopped: it has to report first.",
  },
  { long: "limit", takes: "value", value: "S", help: "For the first check-in." },
] as const;
const usage = "gwe take-over check|prepare [--delay S] [--limit S]|run|restore";
const defaults = { delayS: 30, limitS: 600 } as const;

/** `gwe take-over …`: what the package `gwe-takeover` and its unit call (docs/take-over.md). */
export async function takeOver(argv: readonly string[], context: GweContext): Promise<number> {
  const { flags: given, positionals } = parseArguments(flags, argv);
  const [verb, ...more] = positionals;
  if (verb === undefined || more.length > 0) throw new UsageError(`usage: ${usage}`);
  const { paths, terminal } = context;
  if (paths.home !== null)
    throw new CommandError("a take-over is a matter of the whole machine: without GWE_HOME");
  const say = (line: string): void => terminal.note(`take-over: ${line}`);
  const steps: TakeOverContext = {
    paths,
    journal: new TakeOverJournal(paths),
    prefix: dirname(dirname(installationPath())),
    places: machinePlaces("/"),
    services: machineServices,
    // The system clock's would let this process end: it has nothing else to wait for.
    sleep: async (ms) => {
      await delay(ms);
    },
    engine: (apps) => askEngine(paths, apps),
    tell: (status, output) => tellMurano(status, output, { paths, say }),
    say,
  };
  switch (verb) {
    case "check":
      await check(context);
      return 0;
    case "prepare":
      await prepare(context, steps, {
        delayS: wholeSeconds(given.get("delay")?.[0], defaults.delayS),
        limitS: wholeSeconds(given.get("limit")?.[0], defaults.limitS),
      });
      return 0;
    case "run":
      await runTakeOver(steps);
      return 0;
    case "restore":
      await restore(steps);
      await terminal.write(`The original is being put back: journalctl -fu ${takeOverUnit}\n`);
      return 0;
    default:
      throw new UsageError(`usage: ${usage}`);
  }
}

function wholeSeconds(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,5}$/.test(text)) throw new UsageError(`usage: ${usage}`);
  return Number(text);
}

async function check({ paths, terminal }: GweContext): Promise<void> {
  const { plan, originalCfg, supervisorUnit } = await preflight(paths);
  const apps = plan.apps.map(({ name, version }) => `${name} ${version}`).join(", ");
  await terminal.write(
    [
      `This gateway can be taken over: ${originalCfg}; applications: ${apps || "none"}.`,
      supervisorUnit === null
        ? "supervisord stays for what is not taken over."
        : `${supervisorUnit} is switched off.`,
      ...plan.notes.map((note) => `note: ${note}`),
      "",
    ].join("\n"),
  );
}

/** Everything that does not touch the original; then the unit that does the rest, apart from whoever calls this. */
async function prepare(
  { paths, terminal }: GweContext,
  steps: StepContext,
  { delayS, limitS }: { readonly delayS: number; readonly limitS: number },
): Promise<void> {
  const { plan, originalCfg, supervisorctl, supervisorUnit } = await preflight(paths);
  const { journal, services } = steps;
  if (journal.load() !== undefined) throw new CommandError("a take-over is under way, or has been");
  for (const note of carryOut(plan, paths)) terminal.note(`note: ${note}`);
  journal.save({
    phase: "prepared",
    trialMs: 0,
    limitMs: limitS * 1000,
    delayS,
    supervisorctl,
    supervisorUnit,
    files: [...plan.emptiedFiles, ...foreignCommands(steps)],
    originalCfg,
    apps: plan.apps.map(({ name }) => name),
    formerStates: null,
    reason: "",
  });
  // What goes on after a power cut is there before the first file is moved.
  await enable(takeOverUnit, steps);
  await services.systemctl("start", "--no-block", takeOverUnit);
  await terminal.write(
    `In ${delayS} seconds Gateway Engine takes over. Unless it has checked in within ${describeLimit(limitS * 1000)}, all is put back.\n`,
  );
}

async function restore(steps: StepContext): Promise<void> {
  const { journal, services } = steps;
  const state = journal.load();
  if (state === undefined) throw new CommandError("this engine has not taken another one's place here");
  await enable(takeOverUnit, steps);
  journal.save({ ...state, phase: "restoring", reason: "asked for" });
  await services.systemctl("restart", "--no-block", takeOverUnit);
}
