/** Turns the events of a run into the stages that a person sees. */
import type { RunEvent, StepView } from "../engine/run.ts";
import { formatBytes, formatCount, formatDuration } from "./format.ts";
import type { Output } from "./output.ts";

/** Shows one run while it goes on. */
export interface RunShow {
  event(event: RunEvent): void;
  /** Settles what is still shown. */
  finish(): void;
}

/** How a stage is called and counted. Steps of stages that are not listed are not shown. */
const STAGES: Record<string, { readonly name: string; readonly unit: "bytes" | "items" | "none" }> = {
  snapshot: { name: "snapshot", unit: "bytes" },
  dump: { name: "dump", unit: "bytes" },
  upload: { name: "upload", unit: "bytes" },
  record: { name: "record", unit: "none" },
  preflight: { name: "preflight", unit: "none" },
  load: { name: "load", unit: "bytes" },
  commit: { name: "commit", unit: "none" },
  parts: { name: "checksums", unit: "bytes" },
  decode: { name: "decode", unit: "bytes" },
};

/** What a stage without an amount says when it is done. */
const DONE_TEXT: Record<string, string> = {
  record: "manifest written and read back",
  preflight: "target and key are fine",
  commit: "in place",
};

/** Shows the events of a run; what earlier processes finished (`before`) is told at once. */
export function showRun(output: Output, finished: readonly StepView[]): RunShow {
  const progress = output.progress();
  const sealed = { bytes: 0, parts: 0 };
  const sent = { bytes: 0, parts: 0 };
  let plain: { done: number; total: number | undefined } | undefined;
  let isDumpDone = false;
  /** The latest amount of each step: an event that ends a step does not repeat it. */
  const amounts = new Map<string, number>();

  for (const step of finished) {
    if (step.status !== "done") continue;
    if (step.name.startsWith("upload/")) sent.parts++, sent.bytes += step.done;
    if (step.name.startsWith("seal/")) sealed.parts++, sealed.bytes += step.done;
    if (/^dump\/\d+$/.test(step.name)) isDumpDone = true;
  }
  const before = { ...sent };
  if (isDumpDone) {
    progress.update({
      kind: "stage-done",
      stage: "dump",
      text: `finished before (${formatBytes(sealed.bytes)} in ${formatCount(sealed.parts, "part")})`,
    });
  }

  const dumpText = () =>
    plain === undefined ? undefined : `${formatBytes(plain.done)} → ${formatBytes(sealed.bytes)}`;
  const uploadText = () => {
    const total = formatCount(sealed.parts, "part");
    if (!isDumpDone) return formatCount(sent.parts, "part");
    return before.parts > 0
      ? `${sent.parts} of ${total} (${before.parts} were there)`
      : `${sent.parts} of ${total}`;
  };

  const onProgress = (stage: string, event: RunEvent) => {
    const { name, unit } = STAGES[stage] ?? {};
    if (name === undefined || unit === "none" || stage === "upload" || stage === "parts") return;
    if (stage === "dump") plain = { done: event.done ?? 0, total: event.total };
    const text = stage === "dump" ? dumpText() : undefined;
    progress.update({
      kind: "stage-progress",
      stage: name,
      done: event.done ?? 0,
      total: event.total,
      ...(text === undefined ? {} : { text }),
    });
  };

  const onDone = (stage: string, event: RunEvent) => {
    const amount = amounts.get(event.step ?? "") ?? 0;
    amounts.delete(event.step ?? "");
    if (stage === "seal") {
      sealed.parts++;
      sealed.bytes += amount;
    } else if (stage === "upload") {
      sent.parts++;
      sent.bytes += amount;
      progress.update({
        kind: "stage-progress",
        stage: "upload",
        done: sent.bytes,
        total: isDumpDone ? sealed.bytes : undefined,
        text: uploadText(),
      });
    } else if (stage === "dump") {
      isDumpDone = true;
      const text = dumpText();
      progress.update({
        kind: "stage-done",
        stage: "dump",
        ...(plain ? { done: plain.done, total: plain.done } : {}),
        ...(text === undefined ? {} : { text }),
      });
    } else if (stage === "sums") {
      progress.update({ kind: "stage-done", stage: "upload", text: uploadText() });
    } else if (stage === "parts") {
      sent.parts++;
      sent.bytes += amount;
      progress.update({ kind: "stage-progress", stage: "checksums", done: sent.bytes });
    } else {
      const { name, unit } = STAGES[stage] ?? {};
      if (name === undefined) return;
      const took = formatDuration(event.milliseconds ?? 0);
      const what = stage === "snapshot" ? "consistent copy of " : "";
      const isLive = stage === "snapshot" && amount === 0;
      const text = isLive
        ? `looked at in ${took}`
        : unit === "none"
        ? DONE_TEXT[stage]
        : `${what}${formatBytes(amount)} in ${took}`;
      progress.update({ kind: "stage-done", stage: name, text });
    }
  };

  return {
    event(event) {
      const [stage = ""] = (event.step ?? "").split("/");
      if (event.kind === "note") progress.update({ kind: "note", text: event.message ?? "" });
      if (event.kind === "progress") {
        amounts.set(event.step ?? "", event.done ?? 0);
        onProgress(stage, event);
      }
      if (event.kind === "step-done") onDone(stage, event);
      if (event.kind === "waiting" && event.message !== undefined) {
        const wait = formatDuration(event.milliseconds ?? 0);
        progress.update({ kind: "note", text: `${event.message}; trying again in ${wait}` });
      }
    },
    finish: () => progress.finish(),
  };
}
