import { setTimeout as delay } from "node:timers/promises";
import { engineVersion } from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { DeviceClient } from "../../device-client/index.ts";
import { CommandClock } from "../command-clock.ts";
import { ControlClient } from "../control-client.ts";
import { deviceSettings } from "../device.ts";
import { judgeTrial, type TakeOver, type TrialFacts } from "./state.ts";
import { putBack, removeItself, type StepContext, switchOver, systemctl, takeOverUnit } from "./steps.ts";
import { Supervisord } from "./supervisord.ts";

const lookEveryMs = 5_000;

/**
 * Works the take-over through from wherever it is to its end; the journal has each phase before it is begun.
 * @param say one line for the log
 */
export async function runTakeOver(context: StepContext, say: (line: string) => void): Promise<void> {
  const { journal } = context;
  let state = journal.load();
  const enter = (changed: Partial<TakeOver>): void => {
    if (state === undefined) return;
    state = { ...state, ...changed };
    journal.save(state);
    if (changed.phase !== undefined)
      say(`${changed.phase}${state.reason === "" ? "" : ` (${state.reason})`}`);
  };
  while (state !== undefined) {
    switch (state.phase) {
      case "prepared":
        // The original has to report first that the package is installed.
        await delay(state.delayS * 1000);
        enter({
          phase: "switching",
          formerStates: state.formerStates ?? (await new Supervisord(state.supervisorctl).states()) ?? {},
        });
        break;
      case "switching":
        await switchOver(state, context);
        enter({ phase: "trial" });
        break;
      case "trial": {
        const decision = judgeTrial(await trialFacts(state, context));
        if (decision.kind === "commit") enter({ phase: "committed" });
        else if (decision.kind === "restore") enter({ phase: "restoring", reason: decision.reason });
        else {
          await delay(lookEveryMs);
          enter({ trialMs: state.trialMs + lookEveryMs });
        }
        break;
      }
      case "restoring":
        await putBack(state, context);
        await tellMurano("failed", state.reason, context, say);
        enter({ phase: "restored" });
        break;
      case "restored":
        await removeItself(context);
        return;
      case "committed":
        await systemctl("disable", takeOverUnit);
        await tellMurano("installed", "", context, say);
        return;
    }
  }
}

async function trialFacts({ trialMs, limitMs, apps }: TakeOver, { paths }: StepContext): Promise<TrialFacts> {
  try {
    const status = await new ControlClient({ socketPath: paths.controlSocket }).status();
    const known = new Set(status.apps.map(({ name }) => name));
    return {
      trialMs,
      limitMs,
      hasCheckedIn: status.checkIn.lastSuccessAtMs !== null,
      trouble: status.checkIn.lastError,
      appsMissing: apps.filter((name) => !known.has(name)),
    };
  } catch (error) {
    return { trialMs, limitMs, hasCheckedIn: false, trouble: describeError(error), appsMissing: apps };
  }
}

/** What came of it, where results of installations are looked for. It is told once, and the outcome stands without. */
async function tellMurano(
  status: "installed" | "failed",
  output: string,
  { paths }: StepContext,
  say: (line: string) => void,
): Promise<void> {
  try {
    const clock = new CommandClock(Date.now);
    const client = new DeviceClient({
      ...deviceSettings({ paths, caller: "gateway", url: undefined }),
      certificateTime: clock.certificateTime,
    });
    const signal = AbortSignal.timeout(60_000);
    try {
      await clock.askWherePlainlyWrong(client, { signal });
      const app = {
        name: "gwe-takeover",
        version: engineVersion,
        status,
        exit_code: null,
        output,
        output_cut: 0,
      };
      await client.write({ fetch_status: JSON.stringify({ id: "take-over", apps: [app] }) }, { signal });
    } finally {
      client.close();
    }
  } catch (error) {
    say(`Murano could not be told: ${describeError(error)}`);
  }
}
