import { number } from "./pages.js";

// Where a job stands, in words.

export const TERMINAL = ["SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"];

// What the job's state is called, and which colour it has.
export function stateOf(job) {
  return job.waits_for_worker
    ? { label: "waits for a worker", colour: "WAITING" }
    : { label: job.state.toLowerCase().replaceAll("_", " "), colour: job.state };
}

// Done are the prompts that have their images, and no others.
export function shareDone(job) {
  const appended = Number(job.counts.appended), done = Number(job.counts.succeeded);
  return appended ? number(done) + " / " + number(appended) + "  ·  " + Math.floor(100 * done / appended) + " %" : "empty";
}

// Prompts that were cancelled, and what became of those of a job whose time was up.
export function outcomeName(job, outcome) {
  return outcome === "cancelled" && job.state === "EXPIRED" ? "expired" : outcome;
}
