import {
  type GroupChanges,
  inOrder,
  type ProcessRequest,
  type ProcessResult,
  type SupervisedProcess,
} from "../core/process-api.ts";
import { type ProcessControl, SupervisorConfError } from "../supervisor/index.ts";
import { ControlRequestError } from "./control-error.ts";
import type { ProcessTarget } from "./process-routes.ts";

/**
 * The apps' processes, and among them the engine's own parts, as `supervisorctl` showed them when supervisord ran all
 * of these. The parts run as long as the engine does, and can't be changed one by one.
 */
export class EngineProcesses implements ProcessTarget {
  private readonly control: ProcessControl;
  private readonly parts: () => readonly SupervisedProcess[];

  constructor(options: {
    readonly control: ProcessControl;
    readonly parts: () => readonly SupervisedProcess[];
  }) {
    this.control = options.control;
    this.parts = options.parts;
  }

  processes(): readonly SupervisedProcess[] {
    return inOrder([...this.control.processes(), ...this.parts()]);
  }

  async start(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.ofPart(request, "ALREADY_STARTED") ?? this.control.start(request);
  }

  async stop(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.ofPart(request, "FAILED") ?? this.control.stop(request);
  }

  async signal(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.ofPart(request, "FAILED") ?? this.control.signal(request);
  }

  async clear(request: ProcessRequest): Promise<readonly ProcessResult[]> {
    return this.ofPart(request, "FAILED") ?? this.control.clear(request);
  }

  reread(): GroupChanges {
    try {
      return { changed: this.control.changedGroups() };
    } catch (error) {
      if (error instanceof SupervisorConfError) throw new ControlRequestError(409, error.code, error.message);
      throw error;
    }
  }

  async update(groups: readonly string[]): Promise<GroupChanges> {
    const { changed } = this.reread();
    const meant = changed.filter((group) => groups.length === 0 || groups.includes(group));
    await this.control.renew(meant);
    return { changed: meant };
  }

  async reload(): Promise<GroupChanges> {
    const groups = [...new Set(this.control.processes().map(({ group }) => group))];
    await this.control.renew(groups);
    return { changed: groups };
  }

  private ofPart(
    { group }: ProcessRequest,
    fault: "ALREADY_STARTED" | "FAILED",
  ): readonly ProcessResult[] | undefined {
    const part = this.parts().find((one) => one.group === group);
    if (part === undefined) return undefined;
    const advice = `${part.name}: ERROR (a part of the engine: 'systemctl restart gateway-engine' is for it)`;
    return [{ group: part.group, name: part.name, fault, description: fault === "FAILED" ? advice : "" }];
  }
}
