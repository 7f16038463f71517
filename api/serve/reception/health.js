// How the store's machinery is: a strip in a few words, a dialog with what to do.
import { byId, el, icon } from "./dom.js";
import { readerRow } from "./readers.js";
import { printerRow, printerStates } from "./printers.js";
import * as w from "./words.js";

// showHealth takes the status, whether the page is connected, and the time at the store.
export function showHealth(status, online, now) {
  const states = status ? judge(status, now) : [];
  states.unshift(online === null ? state("care", "i-link", w.word("connecting")) :
    online ? state("good", "i-check", w.word("live")) : state("care", "i-link", w.word("reconnecting")));
  const strip = byId("strip");
  const sign = JSON.stringify([states, w.current()]);
  if (strip.dataset.sign === sign) return;
  strip.dataset.sign = sign;
  strip.replaceChildren(...states.filter((s) => s.brief).map(chip));
  byId("health-list").replaceChildren(...states.filter((s) => s.listed).map(line));
}

// A state is brief where the strip shows it, and listed where the dialog does.
const state = (level, sign, text, more = "", brief = true) => ({ level, sign, text, more, brief, listed: true });

function judge(s, now) {
  return [...readers(s.readers || [], now), ...outputs(s.outputs || []), ...(s.doors || []).map(door),
    ...(s.printers || []).flatMap((p) => printerStates(p, state)), ...headquarters(s, now), ...memory(s.journal)];
}

function readers(all, now) {
  if (!all.length) return [state("care", "i-wave", w.word("readers_none"))];
  const off = all.filter((r) => !r.online);
  const on = all.filter((r) => r.online);
  const heard = Math.max(...all.map((r) => w.at(r.last_read)));
  const out = off.map((r) => ({ ...state("bad", "i-alert", w.word("reader_off", { name: r.name }),
    w.join(w.word("reader_help"), w.say(r.problem) || w.word("reader_check"), w.say(r.notice))), reader: r.name }));
  if (on.length) out.push({ ...state("good", "i-wave", w.word("readers_ok", { n: on.length })), listed: false });
  for (const r of on) {
    if (r.notice) out.push(state("care", "i-alert", w.word("reader_notice", { name: r.name }), w.say(r.notice)));
    const last = w.at(r.last_read) ? w.word("last_read", { ago: w.ago(w.at(r.last_read), now) }) : w.word("no_read");
    out.push({ ...state("good", "i-wave", w.word("reader_on", { name: r.name }), last, false), reader: r.name });
  }
  out.push(state("", "i-clock", heard ? w.word("last_tag", { ago: w.ago(heard, now) }) : w.word("no_tag")));
  return out;
}

// Lamps are spoken of only while they do not work: the strip counts them, the dialog names them.
function outputs(all) {
  const off = all.filter((o) => o.problem);
  if (!off.length) return [];
  return [{ ...state("care", "i-alert", w.word("outputs_off", { n: off.length })), listed: false },
    ...off.map((o) => state("care", "i-alert", w.word("output_off", o), w.word("output_help", { problem: w.say(o.problem) }), false))];
}

function door(d) {
  const problem = w.say(d.problem);
  const time = w.at(d.since) ? w.clock(w.at(d.since)) : "";
  if (!d.known) {
    return state(problem ? "care" : "", "i-door", w.word("door_off", d), problem && w.word("output_help", { problem }), Boolean(problem));
  }
  if (d.left_open) return state("care", "i-door", w.word("door_left", { name: d.name, time }), w.word("door_left_help"));
  return state("good", "i-door", w.word(d.open ? "door_open" : "door_closed", d), w.word("door_count", { time, n: d.opened }), false);
}

function headquarters(s) {
  const waiting = Math.max(0, s.journal.last - s.journal.acked);
  const since = w.at(s.hq.since);
  const out = [s.hq.online ? state("good", "i-cloud", w.word("hq_on")) :
    state("care", "i-cloud", since ? w.word("hq_off_since", { time: w.clock(since) }) : w.word("hq_off"), w.word("hq_help"))];
  out.push(state(waiting ? "" : "good", "i-tray", waiting ? w.word("pending", { n: waiting }) : w.word("pending_none"), "", waiting > 0));
  return out;
}

function memory(j) {
  const problem = w.say(j.problem);
  return problem ? [state("bad", "i-alert", w.word("journal_bad"), w.join(problem, w.word("journal_help")))] : [];
}

function chip(s) {
  return el("span", "state " + s.level, icon(s.sign), el("span", "", s.text));
}

function line(s) {
  const li = el("li", s.level, icon(s.sign), el("strong", "", s.text));
  if (s.more) li.append(el("p", "", s.more));
  if (s.reader) li.append(readerRow(s.reader));
  if (s.printer) li.append(printerRow(s.printer));
  return li;
}
