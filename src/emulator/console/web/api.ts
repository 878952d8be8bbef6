/** What the server refused, in its own words. */
class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The server's JSON interface (docs/console.md), as the browser's session. */
export class Api {
  csrf = "";
  /** Called when the session turns out to be over. */
  onSignedOut: () => void = () => undefined;

  /** Whether this browser is signed in. */
  async resume(): Promise<boolean> {
    const response = await fetch("api/session");
    if (response.status !== 200) return false;
    this.csrf = ((await response.json()) as { csrf: string }).csrf;
    return true;
  }

  async signIn(token: string): Promise<void> {
    this.csrf = (await this.#json<{ csrf: string }>("POST", "session", { token })).csrf;
  }

  async signOut(): Promise<void> {
    await this.#json("DELETE", "session");
    this.onSignedOut();
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>("GET", path);
  }

  send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
    return this.#json<T>(method, path, body);
  }

  /** Uploads a file; `onProgress` is told the share that is sent, 0 to 1. */
  upload(path: string, file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<void> {
    // fetch tells nothing of a body's progress.
    const request = new XMLHttpRequest();
    return new Promise((resolve, reject) => {
      request.open("PUT", `api/${path}`);
      request.setRequestHeader("X-CSRF-Token", this.csrf);
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total);
      request.onload = () => {
        if (request.status < 300) resolve();
        else reject(new ApiError(request.status, problemIn(request.responseText)));
      };
      request.onerror = () => reject(new ApiError(0, "the connection broke"));
      request.onabort = () => reject(new ApiError(0, "cancelled"));
      signal.addEventListener("abort", () => request.abort());
      request.send(file);
    });
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`api/${path}`, {
      method,
      headers: {
        ...(method !== "GET" && { "X-CSRF-Token": this.csrf }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
    if (response.status === 401 && path !== "session") this.onSignedOut();
    throw new ApiError(response.status, problemIn(text) || response.statusText);
  }
}

function problemIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: unknown }).error ?? "");
  } catch {
    return text.slice(0, 300);
  }
}

/** Any thrown value, for a person. */
export function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
