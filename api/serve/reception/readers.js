// The readers in numbers, inside the dialog of the store's health: a row a reader, opened by whoever wants to know more.
import { byId, el, icon, setText } from "./dom.js";
import * as w from "./words.js";

const often = 2000; // ms; asked only while somebody looks

const rows = new Map(); // by the reader's name; a row outlives the list around it, so that it stays open
let known = new Map(); // what was answered last

export function watchReaders() {
  setInterval(ask, often);
  byId("strip").addEventListener("click", ask);
}

// readerRow is the part of one reader's line that opens.
export function readerRow(name) {
  if (!rows.has(name)) rows.set(name, make());
  fill(rows.get(name), known.get(name));
  return rows.get(name).root;
}

async function ask() {
  if (!byId("health").open) return;
  try {
    const answer = await fetch("/v1/reception/readers", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) return;
    known = new Map((await answer.json()).map((r) => [r.name, r]));
  } catch {
    return; // the page tells of a lost connection by itself
  }
  for (const [name, row] of rows) fill(row, known.get(name));
}

function make() {
  const row = { label: el("span"), todo: el("p", "todo"), numbers: el("dl", "numbers"), kinds: el("ul", "kinds"), since: el("p", "since") };
  row.root = el("details", "reader", el("summary", "", row.label), row.todo, row.numbers, row.kinds, row.since);
  row.root.hidden = true;
  return row;
}

function fill(row, r) {
  row.root.hidden = !r;
  if (!r) return;
  const sign = JSON.stringify([r, w.current()]);
  if (row.sign === sign) return;
  row.sign = sign;
  const well = r.advice.code === "well";
  row.root.classList.toggle("look", !well);
  setText(row.label, w.word(well ? "reader_numbers" : "reader_look"));
  row.todo.replaceChildren(icon(well ? "i-check" : "i-alert"), el("span", "", w.say(r.advice.text)));
  row.numbers.replaceChildren(...numbers(r).map(([key, n]) => tile(w.word(key), n)));
  row.kinds.replaceChildren(el("li", "head", w.word("bad_kinds")), ...r.bad.map((b) => el("li", "", el("span", "", w.say(b.name)), el("b", "", w.number(b.count)))));
  row.kinds.hidden = r.bad.length === 0;
  setText(row.since, w.word("counted_since"));
}

function numbers(r) {
  const bad = r.bad.reduce((sum, b) => sum + b.count, 0);
  const all = [["n_reads", r.reads], ["n_frames", r.frames], ["n_bad", bad], ["n_reopened", r.reopened]];
  const rare = [["n_noise", r.noise_bytes], ["n_resyncs", r.resyncs], ["n_dropped", r.dropped], ["n_errors", r.errors]];
  return [...all, ...rare.filter(([, n]) => n > 0)];
}

const tile = (label, n) => el("div", "", el("dt", "", label), el("dd", "", w.number(n)));
