import type { Paths } from "../../config/index.ts";
import { inOrder, processFacts, processStatuses, type SupervisedProcess } from "../../core/process-api.ts";
import { appsWithoutEngine } from "../without-engine.ts";

/** What the run directory tells of the apps' processes, beside an engine that does not run. @throws ControlAccessError */
export function processesWithoutEngine(paths: Paths): readonly SupervisedProcess[] {
  const unknown = { autostart: true, priority: 999 };
  const apps = appsWithoutEngine(paths).flatMap((app) =>
    processStatuses(app).map((process) => ({ ...processFacts(app.name, process), ...unknown })),
  );
  return inOrder([...apps, { group: "gwe", name: "gwe", state: "STOPPED", ...unknown }]);
}
