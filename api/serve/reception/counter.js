// What turns up at the counter: a card that may be given to somebody, lost cards that somebody must deal with, calls from
// the kiosk, and new members whose number is to be confirmed.
import { byId, el, icon, setText } from "./dom.js";
import * as w from "./words.js";

const lying = { unknown: "shown_unknown", blocked: "shown_blocked", clashing: "shown_clashing" };

let shown = null;
const notices = new Map(); // by id
let told = new Set(); // notices that have sounded

export function takeCounter(snapshot) {
  shown = snapshot.shown || null;
  notices.clear();
  for (const n of snapshot.notices || []) notices.set(n.id, n);
}

export function takeShown(s) {
  shown = s.key ? s : null;
}

export function takeNotice(n) {
  if (n.by) notices.delete(n.id);
  else notices.set(n.id, n);
}

// shownNow is the card that may be bound, while it may.
export const shownNow = (now) => (shown && now < w.at(shown.until) ? shown : null);

export const openNotices = () => notices.size;

// news is the title of the newest notice that nobody was told of yet; a call that is repeated is news again.
export function news() {
  const name = (n) => n.id + (n.kind === "called" ? n.times : "");
  const fresh = [...notices.values()].filter((n) => !told.has(name(n)));
  told = new Set([...notices.values()].map(name));
  return fresh.length ? titleOf(fresh.at(-1)) : "";
}

const titleOf = (n) => (n.kind === "called" ? w.word("call_title") : n.kind === "new_guest" ? w.word("new_title") : w.word("notice_title"));

// showCounter lays the notices and the card that was shown; on says what the buttons do.
export function showCounter(now, busy, on) {
  const box = byId("notices");
  const sign = JSON.stringify([[...notices.values()], [...busy], w.current()]);
  if (box.dataset.sign !== sign) {
    box.dataset.sign = sign;
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.for : "";
    box.replaceChildren(...[...notices.values()].map((n) => note(n, busy, on)));
    if (focused) box.querySelector(`[data-for="${CSS.escape(focused)}"]`)?.focus();
  }
  for (const n of notices.values()) {
    const since = box.querySelector(`[data-notice="${CSS.escape(n.id)}"] .since`);
    if (since) setText(since, when(n, now));
  }
  const s = shownNow(now);
  byId("shown").hidden = !s;
  if (s) setText(byId("shown-text"), w.word(lying[s.standing], { zone: w.say(s.zone), ago: seconds(now - w.at(s.at)) }));
}

const seconds = (ms) => w.word("seconds_ago", { n: Math.max(0, Math.round(ms / 1000)) });
const when = (n, now) => (n.zone ? w.word("notice_when", { zone: w.say(n.zone), ago: w.ago(w.at(n.at), now) }) : w.ago(w.at(n.at), now)) +
  (n.times > 1 ? " · " + w.word(n.kind === "called" ? "call_times" : "notice_times", { n: n.times }) : "");

const codes = new Map(); // what is typed, by notice: it outlives a redrawing

function note(n, busy, on) {
  const box = n.kind === "called" ? called(n, busy, on) : n.kind === "new_guest" ? newcomer(n, busy, on) : lost(n, busy, on);
  box.dataset.notice = n.id;
  return box;
}

// button makes one of a notice's buttons.
function button(n, name, word, act, busy) {
  const b = el("button", name === "done" ? "main" : "quieter", w.word(word));
  b.type = "button";
  b.dataset.for = n.id + " " + name;
  b.disabled = Boolean(busy && busy.has(n.id));
  b.addEventListener("click", act);
  return b;
}

const notice = (sign, n, ...rest) => el("section", "notice", icon(sign), el("div", "", el("h2", "", titleOf(n)), el("p", "since", ""), ...rest));

function lost(n, busy, on) {
  const acts = el("div", "row", button(n, "done", "notice_done", () => on.dismiss(n), busy));
  if (n.member) acts.prepend(button(n, "cards", "notice_cards", () => on.cards(n)));
  return notice("i-alert", n, el("p", "whose", n.member ? w.word("notice_whose", { name: w.say(n.name) }) : w.word("notice_nobody")),
    el("p", "", w.word("notice_do")), acts);
}

function called(n, busy, on) {
  const who = n.name ? w.word("call_who", { name: w.say(n.name) }) : w.word("call_guest");
  const speaks = n.language ? w.word("speaks", { language: w.wordIn(n.language, "language") }) : "";
  return notice("i-bell", n, el("p", "whose", who), el("p", "", speaks), el("div", "row", button(n, "done", "call_go", () => on.dismiss(n), busy)));
}

function newcomer(n, busy, on) {
  const input = el("input", "code");
  input.inputMode = "numeric";
  input.maxLength = 4;
  input.autocomplete = "off";
  input.dataset.for = n.id + " code";
  input.setAttribute("aria-label", w.word("new_code"));
  input.placeholder = w.word("new_code");
  input.value = codes.get(n.id) || "";
  input.addEventListener("input", () => codes.set(n.id, input.value));
  const confirm = () => on.confirm(n, input.value.trim());
  input.addEventListener("keydown", (e) => { if (e.key === "Enter") confirm(); });
  const acts = el("div", "row", input, button(n, "done", "new_confirm", confirm, busy));
  if (n.member) acts.append(button(n, "cards", "notice_cards", () => on.cards(n)));
  return notice("i-person", n, el("p", "whose", `${w.say(n.name)} · ${n.phone}`), el("p", "", w.word("new_do")), acts);
}
