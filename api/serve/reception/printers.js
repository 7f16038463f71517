// The printers, inside the dialog of the store's health: what staff may have printed, and what nobody but a person can tell.
import { el, icon } from "./dom.js";
import * as w from "./words.js";

const busy = new Set(); // what was asked and is not answered yet

const rows = new Map(); // by the printer's name

let on = null; // how the page asks: { me, askWho, toast }

export function wirePrinters(page) {
  on = page;
}

// printerStates are a printer's lines: what is wrong, what a person must look at, and that it is ready.
export function printerStates(p, state) {
  const problem = w.say(p.problem);
  const waits = p.waiting ? w.word("printer_waits", { n: p.waiting }) : "";
  const ask = (p.ask || []).length;
  const first = problem ? state("bad", "i-alert", w.word("printer_off", p), w.join(problem, waits)) :
    state(p.notice ? "care" : "good", p.notice ? "i-alert" : "i-printer", w.word("printer_on", p), w.join(w.say(p.notice), waits), Boolean(p.notice));
  const out = [{ ...first, printer: p }];
  if (ask) out.push({ ...state("care", "i-alert", w.word("printer_ask", { n: ask })), listed: false });
  return out;
}

// printerRow is what may be done with a printer. It stays the same node while nothing of it changes: a finger may be on it.
export function printerRow(p) {
  const sign = JSON.stringify([p, w.current()]);
  if (rows.get(p.name)?.sign !== sign) rows.set(p.name, { sign, row: make(p) });
  return rows.get(p.name).row;
}

function make(p) {
  const row = el("div", "printer");
  for (const job of p.ask || []) {
    const time = w.clock(w.at(job.at));
    const box = el("div", "asks", el("p", "", w.word("printer_came", { what: w.say(job.what), time })));
    box.append(buttons([["came", "printer_yes"], ["again", "printer_again"], ["drop", "printer_drop"]].map(([verb, word]) =>
      [word, verb === "came", () => post(p, `jobs/${encodeURIComponent(job.serial)}/${verb}`, {}, "")])));
    row.append(box);
  }
  row.append(buttons([["report", "printer_report"], ["test", "printer_test"]].map(([what, word]) =>
    [word, false, () => post(p, "print", { what, language: w.current() }, "printer_sent")])));
  return row;
}

function buttons(all) {
  const row = el("div", "row");
  for (const [word, main, act] of all) {
    const b = el("button", main ? "main" : "", word === "printer_report" ? icon("i-printer") : null, el("span", "", w.word(word)));
    b.type = "button";
    b.addEventListener("click", act);
    row.append(b);
  }
  return row;
}

async function post(p, path, body, said) {
  const key = p.name + "/" + path;
  if (busy.has(key) || (!on.me() && !(await on.askWho()))) return;
  busy.add(key);
  let fault = "";
  try {
    const answer = await fetch(`/v1/reception/printers/${encodeURIComponent(p.name)}/${path}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...body, by: on.me() }), signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) fault = (await answer.json().catch(() => ({}))).code === "busy" ? "printer_busy" : "err_other";
  } catch {
    fault = "err_network";
  }
  busy.delete(key);
  if (fault || said) on.toast(w.word(fault || said), { bad: Boolean(fault) });
}
