import { byId, element, link } from "./pages.js";

const LINES = "application/x-ndjson";
const MOST_SHOWN = 100000; // characters of an answer

// An example of a schema: every field once, as far down as objects go.
function example(schema, schemas, depth = 0) {
  if (schema.$ref) return depth > 3 ? {} : example(schemas[schema.$ref.split("/").pop()], schemas, depth + 1);
  if (schema.enum) return schema.enum[1];
  if (schema.type === "array") return [example(schema.items, schemas, depth + 1)];
  if (schema.type === "boolean") return false;
  if (schema.type === "integer" || schema.type === "number") return 0;
  if (schema.type !== "object") return "";
  const made = {};
  for (const [name, field] of Object.entries(schema.properties || {})) {
    if (!/Output only/.test(field.description || "")) made[name] = example(field, schemas, depth + 1);
  }
  return made;
}

function input(form, name, hint) {
  const label = element("label", "", name);
  const field = element("input");
  field.name = name;
  field.title = hint || "";
  field.placeholder = (hint || "").slice(0, 120);
  label.append(field);
  form.append(label);
  return field;
}

function url(path, parameters, fields) {
  let address = path;
  const query = new URLSearchParams();
  for (const { name, in: where } of parameters) {
    const value = fields.get(name).value;
    if (where === "path") address = address.replace("{" + name + "}", encodeURIComponent(value.replace(/^jobs\//, "")));
    else if (value) query.append(name, value);
  }
  return query.size ? address + "?" + query : address;
}

// Shows an answer as it comes, and no more of it than a page can hold.
async function show(answer, output) {
  output.textContent = answer.status + " " + answer.headers.get("Content-Type") + "\n";
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    output.textContent += decoder.decode(value, { stream: true });
    if (output.textContent.length > MOST_SHOWN) {
      output.textContent = output.textContent.slice(0, MOST_SHOWN) + "…";
      await reader.cancel();
      return;
    }
  }
}

function call(path, verb, operation, schemas) {
  const card = element("details", "card call");
  const summary = element("summary");
  summary.append(element("code", "", verb.toUpperCase() + " " + path), " ", element("span", "faint", operation.summary));
  const form = element("form");
  const parameters = operation.parameters || [];
  const fields = new Map(parameters.map(({ name, schema }) => [name, input(form, name, schema.description)]));
  let body = null;
  let type = null;
  if (operation.requestBody) {
    const content = operation.requestBody.content;
    type = content[LINES] ? LINES : "application/json";
    body = element("textarea");
    const made = example(content["application/json"].schema, schemas);
    body.value = JSON.stringify(made, null, type === LINES ? 0 : 2);
    form.append(body);
  }
  const send = element("button", "", "Send");
  const stop = element("button", "stop", "Stop");
  stop.type = "button";
  stop.hidden = true;
  const output = element("pre");
  const buttons = element("div", "actions");
  buttons.append(send, stop);
  form.append(buttons);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const control = new AbortController();
    stop.onclick = () => control.abort();
    stop.hidden = false;
    const headers = { "X-Bitloom": "page" };
    if (body) headers["Content-Type"] = type;
    try {
      const request = { method: verb.toUpperCase(), headers, signal: control.signal };
      if (body) request.body = body.value;
      await show(await fetch(url(path, parameters, fields), request), output);
    } catch (e) {
      output.textContent += control.signal.aborted ? "\nstopped" : "\nThe coordinator does not answer.";
    } finally {
      stop.hidden = true;
    }
  });
  card.append(summary, element("p", "", operation.description || ""), form, output);
  return card;
}

try {
  const document = await (await fetch("/api/openapi.json")).json();
  for (const [path, verbs] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      byId("calls").append(call(path, verb, operation, document.components.schemas));
    }
  }
  link("live", Object.keys(document.paths).length + " paths");
} catch (e) {
  link("down", "the coordinator does not answer");
}
