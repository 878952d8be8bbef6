/** The product owner's side of Murano, as a dashboard or a deployment script would use it: plain HTTP. */

export interface MuranoAccess {
  readonly url: string;
  readonly token: string;
  readonly cik: string;
}

/** A gateway's device in Murano. */
export interface DeviceHandle {
  readonly serial: string;
  readonly rid: string;
}

export class MuranoOwner {
  private readonly access: MuranoAccess;
  private readonly product: string;

  constructor(access: MuranoAccess, product: string) {
    this.access = access;
    this.product = product;
  }

  async createProduct(): Promise<void> {
    await this.manage("POST", "model/", new URLSearchParams({ model: this.product, rid: "" }));
  }

  /** Adds a serial number, makes its device and opens its activation window. */
  async addSerial(serial: string): Promise<DeviceHandle> {
    await this.manage("POST", `model/${this.product}/`, new URLSearchParams({ sn: serial }));
    const enable = new URLSearchParams({ enable: "true", owner: this.product });
    const rid = await this.manage("POST", `model/${this.product}/${serial}`, enable);
    return { serial, rid: rid.trim() };
  }

  /** `activated`, `notactivated`, … */
  async serialStatus(serial: string): Promise<string> {
    return (await this.manage("GET", `model/${this.product}/${serial}`)).split(",")[0]?.trim() ?? "";
  }

  async uploadContent(id: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.manage("POST", `content/${this.product}/`, new URLSearchParams({ id, meta: "" }));
    await this.manage(
      "POST",
      `content/${this.product}/${id}`,
      new Blob([content], { type: "application/gzip" }),
    );
  }

  async writeAlias(device: DeviceHandle, alias: string, value: string): Promise<void> {
    await this.rpc(device, "write", [{ alias }, value]);
  }

  /** The newest values of an alias, newest first. */
  async readAlias(device: DeviceHandle, alias: string, limit = 1): Promise<readonly string[]> {
    const points = await this.rpc(device, "read", [{ alias }, { limit, sort: "desc" }]);
    return (points as [number, string][]).map(([, value]) => value);
  }

  private async manage(method: string, path: string, body?: URLSearchParams | Blob): Promise<string> {
    const response = await fetch(`${this.access.url}/provision/manage/${path}`, {
      method,
      headers: { "X-Exosite-Token": this.access.token },
      ...(body && { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new MuranoAnswerError(`${method} ${path} answered ${response.status}: ${text}`);
    return text;
  }

  private async rpc(device: DeviceHandle, procedure: string, args: readonly unknown[]): Promise<unknown> {
    const response = await fetch(`${this.access.url}/onep:v1/rpc/process`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        auth: { cik: this.access.cik, client_id: device.rid },
        calls: [{ id: 1, procedure, arguments: args }],
      }),
    });
    const answers = (await response.json()) as { status: string; result?: unknown }[];
    const answer = answers[0];
    // An alias that nobody has written yet holds nothing.
    if (procedure === "read" && answer?.status !== "ok") return [];
    if (answer?.status !== "ok")
      throw new MuranoAnswerError(`${procedure} answered ${JSON.stringify(answer)}`);
    return answer.result;
  }
}

/** Murano answered something that the demo does not expect. */
class MuranoAnswerError extends Error {
  override readonly name = "MuranoAnswerError";
}
