// The page: what is known, what is shown, what staff do.
import { byId, el, setText } from "./dom.js";
import { store } from "./keep.js";
import { follow } from "./feed.js";
import { CardView } from "./card.js";
import { showToday } from "./today.js";
import { showHealth } from "./health.js";
import { watchReaders } from "./readers.js";
import { wirePrinters } from "./printers.js";
import { resting, restIfIdle, watchRest } from "./rest.js";
import { takeCounter, takeShown, takeNotice, shownNow, openNotices, news, showCounter } from "./counter.js";
import { wireWallet, openWallet, tickWallet, render as renderWallet } from "./wallet.js";
import * as sound from "./sound.js";
import * as w from "./words.js";

const settle = 350; // ms in which a list that has just moved takes no taps: the card under the finger may be another
const graceLost = 600; // ms before a lost connection is shown: a restart of the store's system is shorter
const undoFor = 6000;

const cards = new Map(); // by visit
const views = new Map(); // by visit
const busy = new Set(); // visits with a request under way
let storeName = null;
let status = null;
let skew = 0; // the store's clock minus ours
let online = null;
let lostAt = 0;
let settled = 0; // timer
let seen = null; // visits that have been announced; null until the first snapshot

const now = () => Date.now() + skew;
const me = () => store.get("desk");

function takeSnapshot(s, page) {
  if (page && page !== document.documentElement.dataset.page) location.reload();
  skew = w.at(s.now) - Date.now();
  storeName = s.store;
  status = s.status;
  cards.clear();
  for (const c of s.cards || []) cards.set(c.visit, c);
  takeCounter(s);
  alarm();
  const first = seen === null;
  if (first) seen = new Set(cards.keys());
  else announce([...cards.values()].filter((c) => now() - w.at(c.arrived) < 60_000));
  render();
}

function takeEvent(e) {
  if (e.kind === "status") status = e.data;
  if (e.kind === "shown") takeShown(e.data);
  if (e.kind === "notice") {
    takeNotice(e.data);
    alarm();
  }
  if (e.kind === "card") {
    cards.set(e.data.visit, e.data);
    announce([e.data]);
  }
  render();
}

// announce sounds and speaks for those not yet announced. Names are never spoken.
function announce(list) {
  for (const c of list) {
    if (seen.has(c.visit)) continue;
    seen.add(c.visit);
    if (c.state !== "new" || c.quiet) continue;
    sound.chime(Boolean(c.priority));
    setText(byId("live"), w.word(c.priority ? "announce_priority" : "announce", { zone: w.say(c.zone), n: inState("new").filter((x) => !x.quiet).length }));
  }
}

// alarm sounds and speaks for what waits for one of us.
function alarm() {
  const title = news();
  if (!title) return;
  sound.chime(true);
  setText(byId("live"), title);
}

const inState = (state) => [...cards.values()].filter((c) => c.state === state);

// Waiting: key customers first, then whoever waits longest; those who want peace last. Helping: mine first.
const waitingOrder = (a, b) => rank(a) - rank(b) || w.at(a.arrived) - w.at(b.arrived);
const rank = (c) => (c.quiet ? 2 : c.priority ? 0 : 1);
const helpingOrder = (a, b) => (a.by !== me()) - (b.by !== me()) || w.at(b.claimed_at) - w.at(a.claimed_at);

function render() {
  forgetYesterday();
  const waiting = inState("new").sort(waitingOrder);
  const helping = inState("claimed").sort(helpingOrder);
  const asking = waiting.filter((c) => !c.quiet).length; // who wants peace is here, but does not wait
  place(byId("waiting"), waiting, asking);
  place(byId("helping"), helping, helping.length);
  for (const visit of [...views.keys()]) if (!["new", "claimed"].includes(cards.get(visit)?.state)) drop(visit);
  byId("waiting").querySelector(".empty").hidden = waiting.length > 0 || seen === null; // not yet known is not "nobody"
  byId("helping").hidden = helping.length === 0;
  showToday([...cards.values()]);
  setText(byId("rest-waiting"), asking ? w.word("resting_waiting", { n: asking }) : "");
  byId("rest-alarm").hidden = openNotices() === 0;
  byId("rest").classList.toggle("some", asking > 0);
  setText(byId("store"), w.say(storeName) || w.word("name"));
  document.title = (asking ? `(${asking}) ` : "") + w.word("name");
  tick();
}

// forgetYesterday keeps a page that is never closed from showing old days.
function forgetYesterday() {
  const today = new Date(now()).setHours(0, 0, 0, 0);
  for (const c of cards.values()) {
    const open = c.state === "new" || c.state === "claimed";
    if (w.at(c.arrived) < today && !(open && now() - w.at(c.arrived) < 6 * 36e5)) cards.delete(c.visit);
  }
}

function place(section, list, counted) {
  const box = section.querySelector(".cards");
  const count = section.querySelector(".count");
  setText(count, String(counted));
  count.hidden = counted === 0;
  const focus = document.activeElement;
  list.forEach((c, i) => {
    const view = views.get(c.visit) || make(c.visit);
    view.show(c, me(), now());
    view.main.disabled = view.back.disabled = busy.has(c.visit);
    if (box.children[i] !== view.root) {
      box.insertBefore(view.root, box.children[i] || null);
      moved();
    }
  });
  if (focus && focus !== document.activeElement && focus.isConnected) focus.focus({ preventScroll: true });
}

function moved() {
  byId("guests").dataset.settling = "";
  clearTimeout(settled);
  settled = setTimeout(() => delete byId("guests").dataset.settling, settle);
}

function make(visit) {
  const view = new CardView(act);
  view.root.classList.add("arriving");
  views.set(visit, view);
  return view;
}

function drop(visit) {
  const view = views.get(visit);
  const had = view.root.contains(document.activeElement);
  view.root.remove();
  views.delete(visit);
  moved();
  if (had) byId("guests").focus({ preventScroll: true });
}

async function act(verb, card, undone = false) {
  if ("settling" in byId("guests").dataset || busy.has(card.visit)) return;
  if (!me() && !(await askWho())) return;
  busy.add(card.visit);
  render();
  const fault = await post(`cards/${encodeURIComponent(card.visit)}/${verb}`);
  busy.delete(card.visit);
  render();
  if (fault) return toast(w.word(fault), { bad: true });
  if (verb === "claim") toast(w.word("claimed_toast"), { undo: () => act("release", card, true) });
  if (verb === "release") toast(w.word("released_toast"));
  if (verb === "serve" && !undone) toast(w.word("done_toast"));
}

async function dismiss(n) {
  if (busy.has(n.id) || (!me() && !(await askWho()))) return;
  busy.add(n.id);
  tick();
  const fault = await post(`notices/${encodeURIComponent(n.id)}/dismiss`);
  busy.delete(n.id);
  tick();
  toast(w.word(fault || "notice_done_toast"), { bad: Boolean(fault) });
}

async function confirmNewcomer(n, code) {
  if (busy.has(n.id) || (!me() && !(await askWho()))) return;
  busy.add(n.id);
  tick();
  const fault = await post(`newcomers/${encodeURIComponent(n.id)}/confirm`, { code });
  busy.delete(n.id);
  tick();
  toast(w.word(fault || "new_done_toast"), { bad: Boolean(fault) });
}

// post asks the store; it returns the key of what to say if the store refused. The card itself changes by its event.
async function post(path, more = {}) {
  try {
    const answer = await fetch("/v1/reception/" + path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ by: me(), ...more }),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return "";
    const code = (await answer.json().catch(() => ({}))).code;
    return ["taken", "over", "not_yours", "not_found", "busy", "wrong_code"].includes(code) ? "err_" + code : "err_other";
  } catch {
    return "err_network";
  }
}

function toast(text, { bad = false, undo = null } = {}) {
  const t = el("div", "toast" + (bad ? " bad" : ""), el("span", "", text));
  if (undo) {
    const b = el("button", "", w.word("undo"));
    b.type = "button";
    b.addEventListener("click", () => { t.remove(); undo(); });
    t.append(b);
  }
  byId("toasts").replaceChildren(t);
  setTimeout(() => t.remove(), undoFor);
}

function askWho() {
  const d = byId("who");
  const input = byId("who-name");
  input.value = me();
  input.placeholder = w.word("who_example");
  d.returnValue = "";
  d.showModal();
  input.select();
  return new Promise((done) => {
    d.addEventListener("close", () => {
      const name = input.value.trim();
      const ok = d.returnValue === "yes" && name !== "";
      if (ok) store.set("desk", name);
      tools();
      render();
      done(ok);
    }, { once: true });
  });
}

function tools() {
  const other = w.next();
  byId("lang").textContent = w.wordIn(other, "language");
  byId("lang").lang = other;
  byId("lang").setAttribute("aria-label", `${w.wordIn(other, "switch_language")} ${w.wordIn(other, "language")}`);
  setText(byId("me").querySelector(".label"), me() || w.word("who_none"));
  byId("me").setAttribute("aria-label", me() ? w.word("who_button", { by: me() }) : w.word("who_none"));
  byId("me").classList.toggle("attention", !me());
  byId("cards-close").setAttribute("aria-label", w.word("close"));
  soundTool();
}

function soundTool() {
  const left = sound.mutedFor();
  const text = !sound.ready() ? w.word("chime_off") : left ? w.word("chime_muted", { time: w.span(left) }) : w.word("chime_on");
  byId("hint").hidden = sound.ready() || resting();
  byId("sound").classList.toggle("attention", !sound.ready() || left > 0);
  byId("sound").querySelector("use").setAttribute("href", sound.ready() && !left ? "#i-bell" : "#i-quiet");
  byId("sound").setAttribute("aria-label", text);
  setText(byId("sound").querySelector(".label"), left && sound.ready() ? w.span(left) : "");
  setText(byId("sounds-title"), text);
  setText(byId("mute"), w.word(left ? "unmute" : "mute"));
}

// tick moves all that depends on the time alone.
function tick() {
  for (const view of views.values()) view.tick(now());
  setText(byId("clock"), w.clock(now()));
  setText(byId("day"), `${w.word("name")} · ${w.day(now())}`);
  const lost = lostAt > 0 && Date.now() - lostAt >= graceLost;
  byId("lost").hidden = !lost;
  showCounter(now(), busy, { dismiss, confirm: confirmNewcomer, cards: (n) => openWallet(n.member) });
  tickWallet();
  showHealth(status, online === null ? null : !lost, now());
  soundTool();
}

function wire() {
  byId("lang").addEventListener("click", () => {
    w.setLang(w.next());
    store.set("lang", w.current());
    tools();
    render();
    renderWallet();
  });
  wirePrinters({ me, askWho, toast });
  wireWallet({ me, askWho, now, toast, shown: () => shownNow(now()) });
  byId("me").addEventListener("click", () => askWho());
  byId("who").querySelector("form").addEventListener("submit", () => { byId("who").returnValue = "yes"; });
  byId("who").querySelector("[type=submit]").value = "yes";
  byId("strip").addEventListener("click", () => byId("health").showModal());
  byId("sound").addEventListener("click", () => { if (sound.ready()) byId("sounds").showModal(); });
  byId("mute").addEventListener("click", () => {
    if (sound.mutedFor()) sound.unmute(); else sound.mute();
    byId("sounds").close();
    soundTool();
  });
  for (const b of document.querySelectorAll("[data-close]")) b.addEventListener("click", () => b.closest("dialog").close());
  for (const kind of ["pointerup", "keydown"]) {
    addEventListener(kind, () => { if (!sound.ready()) sound.enable().then(soundTool, () => {}); }, true);
  }
}

function onFeed(u) {
  if (u.denied) location.assign("/login");
  if ("online" in u) {
    online = u.online;
    lostAt = u.online ? 0 : lostAt || Date.now();
    document.body.dataset.online = String(u.online);
    if (!u.online) setTimeout(tick, graceLost);
    tick();
  }
  if (u.snapshot) takeSnapshot(u.snapshot, u.page);
  if (u.event) takeEvent(u.event);
}

async function start() {
  for (let wait = 200; ; wait = Math.min(wait * 2, 2000)) {
    try {
      await w.loadWords();
      break;
    } catch {
      await new Promise((done) => setTimeout(done, wait));
    }
  }
  wire();
  watchRest();
  watchReaders();
  tools();
  render();
  setInterval(() => {
    tick();
    restIfIdle();
  }, 1000);
  setInterval(render, 60_000);
  follow("reception", onFeed);
}

start();
