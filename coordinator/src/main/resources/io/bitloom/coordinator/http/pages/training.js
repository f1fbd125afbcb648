import { trace } from "./curve.js";
import { byId, change, duration, element, link, number, part, update } from "./pages.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 560, HEIGHT = 220, LEFT = 46, BOTTOM = 22, TOP = 8;

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function short(value) {
  const size = Math.abs(value);
  return size === 0 ? "0" : size >= 1000 || size < 0.001 ? value.toExponential(1) : value.toPrecision(3);
}

function makeRun() {
  const card = element("article", "card run");
  const head = element("div", "row");
  head.append(element("span", "name"), element("span", "state"), element("span", "id faint"), element("span", "share end"));
  const bar = element("div", "bar");
  bar.append(element("i", "running"));
  const shown = element("div", "shown");
  const curve = element("div", "curve");
  curve.append(drawn("svg", { viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img", "aria-label": "loss over steps" }));
  const legend = element("div", "legend");
  legend.append(element("span", "training-label", "loss"), element("span", "validation", "validation loss"));
  curve.append(legend);
  const pictures = element("figure", "pictures");
  const image = element("img");
  image.alt = "latest sample grid";
  pictures.append(image, element("figcaption"));
  shown.append(curve, pictures);
  const details = element("details");
  details.append(element("summary", "", "latest numbers"), element("table"));
  const foot = element("div", "foot");
  const counts = element("div", "counts");
  counts.append(element("span", "plain about"));
  const actions = element("div", "actions");
  actions.append(stopButton());
  foot.append(counts, actions);
  card.append(head, bar, foot, shown, details);
  return card;
}

// A run is stopped by its id; that it has stopped is in a later report.
function stopButton() {
  const button = element("button", "stop", "Stop");
  button.type = "button";
  button.addEventListener("click", async () => {
    const id = button.closest(".run").dataset.key;
    if (!confirm("Stop this run? It ends with a checkpoint, and can be resumed.")) return;
    await change(button, "/api/v1/training/" + encodeURIComponent(id) + "/stop");
    await refresh();
  });
  return button;
}

const finite = (points) => (points || []).map((point) => [Number(point.step), Number(point.loss)]).filter((point) => Number.isFinite(point[1]));

function fillCurve(card, run) {
  const svg = card.querySelector("svg");
  const training = finite(run.training);
  const validation = finite(run.validation);
  const all = training.concat(validation);
  svg.replaceChildren();
  card.querySelector(".curve").hidden = all.length === 0;
  if (all.length === 0) return;
  const lastStep = Math.max(1, ...all.map((point) => point[0]));
  let low = Math.min(...all.map((point) => point[1]));
  let high = Math.max(...all.map((point) => point[1]));
  if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
  const x = (step) => LEFT + (WIDTH - LEFT - 6) * step / lastStep;
  const y = (loss) => TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / (high - low);
  for (let i = 0; i <= 4; i++) {
    const loss = low + (high - low) * i / 4;
    svg.append(drawn("line", { class: "axis", x1: LEFT, x2: WIDTH - 6, y1: y(loss), y2: y(loss) }));
    svg.append(drawn("text", { x: LEFT - 6, y: y(loss) + 4, "text-anchor": "end" }, short(loss)));
  }
  svg.append(drawn("text", { x: LEFT, y: HEIGHT - 6 }, "0"));
  svg.append(drawn("text", { x: WIDTH - 6, y: HEIGHT - 6, "text-anchor": "end" }, "step " + number(lastStep)));
  for (const [name, points] of Object.entries({ training, validation })) {
    const [tag, attributes] = trace(points.map(([step, loss]) => [x(step), y(loss)]));
    svg.append(drawn(tag, { class: name, ...attributes }));
  }
  card.querySelector(".legend .validation").hidden = validation.length === 0;
}

function fillRun(card, run) {
  const state = run.silent ? "FAILED" : run.state;
  const step = Number(run.step || 0), steps = Number(run.steps || 0);
  part(card, "name", run.name);
  const label = run.silent ? "not heard of" : run.stopping ? "stopping" : state.toLowerCase().replaceAll("_", " ");
  part(card, "state", label).dataset.state = state;
  part(card, "id", run.mode + "  ·  " + run.id);
  part(card, "share", number(step) + " / " + number(steps) + "  ·  " + Math.floor(100 * step / Math.max(1, steps)) + " %");
  card.querySelector(".bar i").style.width = 100 * step / Math.max(1, steps) + "%";
  const numbers = run.numbers || {};
  const left = parseFloat(run.left || "0");
  const running = run.state === "RUNNING";
  part(card, "about", [run.place,
    "loss" in numbers ? "loss " + short(numbers.loss) : "",
    "samples_per_second" in numbers ? short(numbers.samples_per_second) + " samples/s" : "",
    running && left > 0 ? duration(left) + " left" : "",
    running ? "" : "ended " + duration((Date.now() - Date.parse(run.report_time)) / 1000) + " ago"].filter(Boolean).join("  ·  "));
  card.querySelector("button.stop").hidden = !running || run.stopping || run.silent;
  fillCurve(card, run);
  const pictureStep = Number(run.picture_step || 0);
  card.querySelector(".pictures").hidden = pictureStep === 0;
  const image = card.querySelector("img");
  const source = "/api/v1/training/" + encodeURIComponent(run.id) + "/picture?step=" + pictureStep;
  if (pictureStep > 0 && image.getAttribute("src") !== source) image.src = source;
  part(card, "pictures figcaption", "step " + number(pictureStep));
  const rows = Object.entries(numbers).sort().map(([name, value]) => {
    const row = element("tr");
    row.append(element("td", "", name), element("td", "", short(Number(value))));
    return row;
  });
  card.querySelector("table").replaceChildren(...rows);
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/v1/training");
    if (!answer.ok) throw new Error(answer.status);
    update("runs", (await answer.json()).runs, (run) => run.id, makeRun, fillRun);
    link("live", "live");
  } catch (e) {
    link("down", "connection lost, trying again");
  }
}
setInterval(refresh, 2000);
document.addEventListener("visibilitychange", refresh);
refresh();
