// What the pages have in common.

export const byId = (id) => document.getElementById(id);
export const number = (value) => Number(value).toLocaleString("en");

// Text from callers and workers goes into text nodes only, never into markup.
export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Brings a list of cards up to date in place, so that bars move instead of jumping.
export function update(listId, items, keyOf, make, fill) {
  const list = byId(listId);
  const before = new Map([...list.children].map((card) => [card.dataset.key, card]));
  const cards = items.map((item) => {
    const key = keyOf(item);
    let card = before.get(key);
    if (!card) {
      card = make();
      card.dataset.key = key;
    }
    fill(card, item);
    return card;
  });
  cards.forEach((card, i) => {
    if (list.children[i] !== card) list.insertBefore(card, list.children[i] || null);
  });
  while (list.children.length > cards.length) list.lastChild.remove();
  byId("no-" + listId).hidden = cards.length > 0;
}

export function part(card, name, text) {
  const target = card.querySelector("." + name);
  if (target.textContent !== text) target.textContent = text;
  return target;
}

export function duration(seconds) {
  if (seconds < 1) return "under 1 s";
  if (seconds < 60) return Math.floor(seconds) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min";
  if (seconds < 36000) return (seconds / 3600).toFixed(1) + " h";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
  return Math.floor(seconds / 86400) + " d";
}

// Asks for a change while its button waits, and says why if it is refused.
export async function change(button, path) {
  button.disabled = true;
  try {
    const answer = await fetch(path, { method: "POST", headers: { "X-Bitloom": "page" } });
    if (!answer.ok) alert((await answer.json()).error.message);
  } catch (e) {
    alert("The coordinator does not answer.");
  } finally {
    button.disabled = false;
  }
}

// Shows how the page stands with the coordinator: live or down, and in words.
export function link(state, text) {
  byId("link").dataset.state = state;
  byId("link").textContent = text;
}
