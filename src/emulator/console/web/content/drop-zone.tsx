import { useRef, useState } from "preact/hooks";
import { problemOf } from "../api.ts";
import { useConsole } from "../context.ts";
import { bytes } from "../format.ts";
import type { Content } from "../types.ts";
import { packageProblem } from "./package-problem.ts";

interface Upload {
  readonly name: string;
  readonly size: number;
  readonly share: number;
  readonly state: "sending" | "storing" | "done" | "failed";
  readonly problem?: string;
  readonly cancel: () => void;
}

export interface DropZoneProps {
  readonly product: string;
  readonly known: readonly Content[];
  readonly onDone: () => void;
}

/** Packages are dropped here, or chosen; one after the other is uploaded. */
export function DropZone({ product, known, onDone }: DropZoneProps) {
  const { api } = useConsole();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [uploads, setUploads] = useState<readonly Upload[]>([]);

  const change = (name: string, part: Partial<Upload>) =>
    setUploads((all) => all.map((upload) => (upload.name === name ? { ...upload, ...part } : upload)));

  const upload = async (file: File) => {
    const ending = new AbortController();
    const begun: Upload = {
      name: file.name,
      size: file.size,
      share: 0,
      state: "sending",
      cancel: () => ending.abort(),
    };
    setUploads((all) => [...all.filter(({ name }) => name !== file.name), begun]);
    const problem = await packageProblem(file);
    if (problem !== undefined) {
      change(file.name, { state: "failed", problem });
      return;
    }
    const path = `content/${encodeURIComponent(product)}/${encodeURIComponent(file.name)}`;
    const progress = (share: number) =>
      change(file.name, { share, state: share < 1 ? "sending" : "storing" });
    try {
      await api.upload(path, file, progress, ending.signal);
      change(file.name, { state: "done", share: 1 });
      onDone();
    } catch (error) {
      change(file.name, { state: "failed", problem: problemOf(error) });
    }
  };
  const take = async (files: Iterable<File>) => {
    for (const file of files) await upload(file);
  };

  return (
    <section class="uploads" aria-label="Upload">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the button inside does the same */}
      <div
        class={`drop-zone ${isOver ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void take([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        <span>
          Drop packages here, <code>&lt;app&gt;.v&lt;version&gt;.tar.gz</code>, or
        </span>
        <button type="button" onClick={() => input.current?.click()}>
          Choose files…
        </button>
        <input
          ref={input}
          class="unseen"
          type="file"
          multiple
          tabIndex={-1}
          aria-label="Packages to upload"
          onChange={({ currentTarget }) => {
            void take([...(currentTarget.files ?? [])]);
            currentTarget.value = "";
          }}
        />
      </div>
      <ul class="upload-list">
        {uploads.map((one) => (
          <UploadRow key={one.name} upload={one} isReplacing={known.some(({ id }) => id === one.name)} />
        ))}
      </ul>
    </section>
  );
}

function UploadRow({ upload, isReplacing }: { readonly upload: Upload; readonly isReplacing: boolean }) {
  const { name, size, share, state, problem, cancel } = upload;
  const isUnderWay = state === "sending" || state === "storing";
  const words = {
    sending: isReplacing ? "replacing" : "sending",
    storing: "being stored",
    done: "uploaded",
    failed: problem ?? "failed",
  };
  return (
    <li class={`upload ${state}`}>
      <span class="name">{name}</span>
      <progress max={1} value={share} aria-label={`Upload of ${name}`} />
      <span class="muted">
        {bytes(size * share)} of {bytes(size)}
      </span>
      <span class={state === "failed" ? "problem" : "muted"} role="status">
        {words[state]}
      </span>
      {isUnderWay && (
        <button type="button" class="quiet" onClick={cancel}>
          Cancel
        </button>
      )}
    </li>
  );
}
