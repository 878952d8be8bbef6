import { type EngineFacts, judgeTrial, type TakeOver } from "./state.ts";
import { putBack, removeItself, type StepContext, switchOver, takeOverUnit } from "./steps.ts";

const lookEveryMs = 5_000;

export interface TakeOverContext extends StepContext {
  /** Milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
  /** What the engine that is on trial says of itself. */
  readonly engine: (apps: readonly string[]) => Promise<EngineFacts>;
  /** Tells Murano what came of it, once; the outcome stands without. Never rejects. */
  readonly tell: (status: "installed" | "failed", output: string) => Promise<void>;
  /** One line for the log. */
  readonly say: (line: string) => void;
}

/** Works the take-over through from wherever it is to its end; the journal has each phase before it is begun. */
export async function runTakeOver(context: TakeOverContext): Promise<void> {
  const { journal, services, sleep, say } = context;
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
        await sleep(state.delayS * 1000);
        enter({
          phase: "switching",
          formerStates:
            state.formerStates ?? (await services.supervisord(state.supervisorctl).states()) ?? {},
        });
        break;
      case "switching":
        await switchOver(state, context);
        enter({ phase: "trial" });
        break;
      case "trial": {
        const { trialMs, limitMs, apps } = state;
        const decision = judgeTrial({ trialMs, limitMs, ...(await context.engine(apps)) });
        if (decision.kind === "commit") enter({ phase: "committed" });
        else if (decision.kind === "restore") enter({ phase: "restoring", reason: decision.reason });
        else {
          await sleep(lookEveryMs);
          enter({ trialMs: trialMs + lookEveryMs });
        }
        break;
      }
      case "restoring":
        await putBack(state, context);
        await context.tell("failed", state.reason);
        enter({ phase: "restored" });
        break;
      case "restored":
        await removeItself(context);
        return;
      case "committed":
        await services.systemctl("disable", takeOverUnit);
        await context.tell("installed", "");
        return;
    }
  }
}
