// The day so far: who came and went, and how quickly they were met.
import { byId, el, icon, setText } from "./dom.js";
import * as w from "./words.js";

export function showToday(cards) {
  const over = cards.filter((c) => c.state === "served" || c.state === "left")
    .sort((a, b) => ended(b) - ended(a));
  const met = cards.filter((c) => w.at(c.claimed_at)).map(response).sort((a, b) => a - b);
  setText(byId("arrivals"), String(cards.length));
  setText(byId("median"), met.length ? w.span(median(met)) : w.word("none"));
  setText(byId("missed"), String(over.filter((c) => c.state === "left" && !c.quiet).length));
  byId("nobody").hidden = over.length > 0;
  byId("history").replaceChildren(...over.map(row));
}

const response = (c) => Math.max(0, w.at(c.claimed_at) - w.at(c.arrived));
const ended = (c) => w.at(c.served_at) || w.at(c.gone) || w.at(c.arrived);

function median(sorted) {
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function row(c) {
  const helped = c.state === "served";
  const how = el("div", "how" + (helped ? " helped" : ""),
    el("span", "", icon(helped ? "i-check" : "i-go"), helped ? w.word("served", { by: c.by || w.word("none") }) : w.word("left")));
  if (w.at(c.claimed_at)) how.append(el("span", "", w.word("in_time", { time: w.span(response(c)) })));
  const time = el("time", "", w.clock(w.at(c.arrived)));
  time.dateTime = c.arrived;
  const li = el("li", "", time, el("span", "name", w.say(c.name)), how);
  li.dataset.visit = c.visit;
  return li;
}
