// What turns up at the counter: a card that may be given to somebody, and lost cards that somebody must deal with.
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

// news counts the notices that nobody was told of yet.
export function news() {
  const fresh = [...notices.keys()].filter((id) => !told.has(id));
  told = new Set(notices.keys());
  return fresh.length;
}

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
const when = (n, now) => w.word("notice_when", { zone: w.say(n.zone), ago: w.ago(w.at(n.at), now) }) + (n.times > 1 ? " · " + w.word("notice_times", { n: n.times }) : "");

function note(n, busy, on) {
  const done = el("button", "main", w.word("notice_done"));
  done.type = "button";
  done.dataset.for = n.id + " done";
  done.disabled = busy.has(n.id);
  done.addEventListener("click", () => on.dismiss(n));
  const acts = el("div", "row", done);
  if (n.member) {
    const cards = el("button", "quieter", w.word("notice_cards"));
    cards.type = "button";
    cards.dataset.for = n.id + " cards";
    cards.addEventListener("click", () => on.cards(n));
    acts.prepend(cards);
  }
  const box = el("section", "notice", icon("i-alert"),
    el("div", "", el("h2", "", w.word("notice_title")), el("p", "since", ""),
      el("p", "whose", n.member ? w.word("notice_whose", { name: w.say(n.name) }) : w.word("notice_nobody")),
      el("p", "", w.word("notice_do")), acts));
  box.dataset.notice = n.id;
  return box;
}
