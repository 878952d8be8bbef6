/** A device's plain HTTP view of the emulator: fetch with its CIK, and nothing clever. */
export class DeviceSide {
  readonly url: string;
  readonly cik: string;

  constructor(url: string, cik: string) {
    this.url = url;
    this.cik = cik;
  }

  request(
    method: string,
    path: string,
    body?: string | URLSearchParams,
    headers: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const form = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
    return fetch(this.url + path, {
      method,
      headers: { "X-Exosite-CIK": this.cik, ...(body !== undefined && form), ...headers },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> {
    return this.request("GET", path, undefined, headers, signal);
  }

  post(
    path: string,
    body: string | URLSearchParams,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return this.request("POST", path, body, headers);
  }
}
