import { byId, change, duration, element, link, number, part, update } from "./pages.js";
import { TERMINAL, outcomeName, shareDone, stateOf } from "./standing.js";

const OUTCOMES = ["succeeded", "failed", "cancelled", "running"];

const since = (time) => duration(Math.max(0, (Date.now() - Date.parse(time)) / 1000));

function makeJob() {
  const card = element("article", "card job");
  const head = element("div", "row");
  head.append(element("span", "name"), element("span", "state"), element("span", "id faint"), element("span", "share end"));
  const bar = element("div", "bar");
  for (const outcome of OUTCOMES) bar.append(element("i", outcome));
  const counts = element("div", "counts");
  for (const outcome of OUTCOMES) counts.append(element("span", outcome));
  counts.append(element("span", "queued"), element("span", "plain about"));
  const foot = element("div", "foot");
  const actions = element("div", "actions");
  actions.append(action("pause", "Pause"), action("resume", "Resume"), action("cancel", "Cancel"));
  actions.querySelector(".cancel").classList.add("stop");
  foot.append(counts, actions);
  card.append(head, bar, foot);
  return card;
}

// A job is changed by its name; what comes of it is in the next event.
function action(verb, label) {
  const button = element("button", verb, label);
  button.type = "button";
  button.addEventListener("click", async () => {
    const name = button.closest(".job").dataset.key;
    if (verb === "cancel" && !confirm("Cancel " + name + "? Results so far stay.")) return;
    await change(button, "/api/v1/" + name + "/" + verb);
  });
  return button;
}

// How long it will take, or how many go before.
function outlook(job, state) {
  if (TERMINAL.includes(state) || state === "PAUSED") return "";
  if (job.estimated_end_time) {
    const seconds = (Date.parse(job.estimated_end_time) - Date.now()) / 1000;
    return duration(Math.max(0, seconds)) + " left";
  }
  const before = Number(job.queue_position || 0);
  return before ? "after " + before + (before === 1 ? " other job" : " other jobs") : "";
}

function fillJob(card, job) {
  const counts = job.counts;
  const state = job.state;
  const appended = Number(counts.appended || 0);
  part(card, "name", job.display_name || job.name.slice("jobs/".length));
  const { label, colour } = stateOf(job);
  part(card, "state", label).dataset.state = colour;
  part(card, "id", job.display_name ? job.name : "");
  part(card, "share", shareDone(job));
  for (const outcome of OUTCOMES) {
    const count = Number(counts[outcome] || 0);
    card.querySelector(".bar ." + outcome).style.width = appended ? 100 * count / appended + "%" : "0";
    part(card, "counts ." + outcome, number(count) + " " + outcomeName(job, outcome)).hidden = count === 0;
  }
  const queued = Number(counts.queued || 0);
  part(card, "queued", number(queued) + " waiting").hidden = queued === 0;
  const retried = Number(counts.retried || 0);
  const age = TERMINAL.includes(state) && job.end_time
    ? "took " + duration((Date.parse(job.end_time) - Date.parse(job.create_time)) / 1000)
    : "since " + since(job.create_time);
  const open = !TERMINAL.includes(state) && state !== "CANCELLING";
  card.querySelector(".pause").hidden = !open || state === "PAUSED";
  card.querySelector(".resume").hidden = state !== "PAUSED";
  card.querySelector(".cancel").hidden = !open;
  const expires = open && job.expire_time ? "expires in " + duration(Math.max(0, (Date.parse(job.expire_time) - Date.now()) / 1000)) : "";
  part(card, "about", [job.model, "priority " + job.priority, age, outlook(job, state), expires, job.replay_of ? "repeats " + job.replay_of : "", retried ? number(retried) + " retried" : ""].filter(Boolean).join("  ·  "));
}

function makeWorker() {
  const card = element("article", "card");
  const head = element("div", "row");
  head.append(element("span", "name"), element("span", "images faint end"));
  const device = element("div", "device faint");
  const bar = element("div", "bar");
  bar.append(element("i", "running"));
  card.append(head, device, bar, element("div", "work faint"));
  return card;
}

function fillWorker(card, worker) {
  card.classList.toggle("gone", !worker.connected);
  part(card, "name", worker.id);
  part(card, "images", number(worker.images_done) + " images");
  part(card, "device", [worker.device, worker.models.join(", ")].filter(Boolean).join("  ·  "));
  const lease = worker.leases.find((held) => held.scales > 0) || worker.leases[0];
  const width = lease && lease.scales ? 100 * lease.scale / lease.scales : 0;
  card.querySelector(".bar i").style.width = width + "%";
  const prompts = worker.leases.reduce((sum, held) => sum + held.prompts, 0);
  const batches = worker.leases.length + (worker.leases.length === 1 ? " batch, " : " batches, ");
  const scales = lease && lease.scales ? "  ·  scale " + lease.scale + " of " + lease.scales : "";
  part(card, "work", !worker.connected ? "cut off; its prompts wait for it a moment"
    : lease ? batches + prompts + (prompts === 1 ? " prompt" : " prompts") + "  ·  " + drawnAs(lease) + scales
    : "idle for now");
}

function makeBucket() {
  const card = element("article", "card bucket");
  const frame = element("div", "frame");
  frame.append(element("i"));
  const body = element("div", "body");
  const head = element("div", "row");
  head.append(element("span", "name"), element("span", "prompts end"));
  body.append(head, element("div", "about faint"));
  card.append(frame, body);
  return card;
}

function fillBucket(card, bucket) {
  const [width, height] = (bucket.shape || "1:1").split(":").map(Number);
  const ratio = height / width;
  const frame = card.querySelector(".frame i").style;
  frame.width = Math.round(42 / Math.max(1, ratio)) + "px";
  frame.height = Math.round(42 * Math.min(1, ratio)) + "px";
  part(card, "name", drawnAs(bucket));
  part(card, "prompts", number(bucket.prompts + bucket.retries));
  part(card, "about", [bucket.model,
    bucket.leased ? number(bucket.leased) + " being drawn" : "",
    bucket.retries ? number(bucket.retries) + " to be tried again" : "",
    bucket.prompts ? "oldest " + duration(parseFloat(bucket.oldest || "0")) : ""].filter(Boolean).join("  ·  "));
}

function drawnAs({ shape, size, schedule }) {
  return shape ? shape + " " + size : schedule;
}

let doneBefore = null;
function rate(jobs) {
  const now = performance.now();
  const done = new Map(jobs.map((job) => [job.name, Number(job.counts.succeeded) + Number(job.counts.failed)]));
  if (doneBefore && now - doneBefore.at < 900) return;
  if (doneBefore) {
    let more = 0;
    for (const [name, count] of done) more += Math.max(0, count - (doneBefore.done.get(name) ?? 0));
    const perMinute = more * 60000 / (now - doneBefore.at);
    doneBefore.smooth = doneBefore.smooth === undefined ? perMinute : 0.7 * doneBefore.smooth + 0.3 * perMinute;
    byId("f-rate").textContent = number(Math.round(doneBefore.smooth));
  }
  doneBefore = { at: now, done, smooth: doneBefore ? doneBefore.smooth : undefined };
}

function show(state) {
  const open = state.jobs.filter((job) => !TERMINAL.includes(job.state));
  const buckets = state.buckets.filter((bucket) => bucket.prompts + bucket.retries + bucket.leased > 0);
  const sum = (list, value) => list.reduce((total, item) => total + Number(value(item) || 0), 0);
  byId("f-jobs").textContent = number(open.length);
  byId("f-queued").textContent = number(sum(state.buckets, (bucket) => bucket.prompts + bucket.retries));
  byId("f-running").textContent = number(sum(state.buckets, (bucket) => bucket.leased));
  byId("f-workers").textContent = number(state.workers.filter((worker) => worker.connected).length);
  rate(state.jobs);
  update("jobs", state.jobs, (job) => job.name, makeJob, fillJob);
  update("workers", state.workers, (worker) => worker.id, makeWorker, fillWorker);
  update("buckets", buckets, (bucket) => bucket.model + "\n" + bucket.schedule, makeBucket, fillBucket);
}

// Ages and rates go on although nothing changes, and then nothing is sent.
let latest = null;
setInterval(() => latest && show(latest), 2000);

const events = new EventSource("/api/v1/events");
events.onopen = () => link("live", "live");
events.onmessage = (event) => {
  latest = JSON.parse(event.data);
  link(latest.trouble ? "down" : "live", latest.trouble || "live");
  show(latest);
};
events.addEventListener("unavailable", () => link("down", "the queue does not answer"));
events.onerror = () => link("down", "connection lost, trying again");
