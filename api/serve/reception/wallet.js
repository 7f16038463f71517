// The panel for members' cards: find somebody, look at their cards, change one. Card numbers never come here; a card has a
// short name that is the same everywhere.
import { byId, el, icon } from "./dom.js";
import * as w from "./words.js";

// What staff do with a card: its words, the reasons that go with it, whether the card that was shown is part of it, and
// whether somebody gets a card by it: then it must be made sure who that is.
const tasks = {
  bind: { title: "do_bind", about: "about_bind", go: "go_bind", did: "did_bind", why: ["new_member", "second_tag"], shown: true, handsOut: true },
  found: { title: "do_found", short: "short_found", about: "about_found", go: "go_found", did: "did_found", why: ["found"], handsOut: true },
  replace: { title: "do_replace", short: "short_replace", about: "about_replace", go: "go_replace", did: "did_replace", why: ["lost", "stolen", "damaged", "upgraded"], shown: true, handsOut: true },
  block: { title: "do_block", short: "short_block", about: "about_block", all: "about_block_all", go: "go_block", did: "did_block", why: ["lost", "stolen"] },
  unbind: { title: "do_unbind", short: "short_unbind", about: "about_unbind", go: "go_unbind", did: "did_unbind", why: ["returned", "damaged", "asked", "wrong_member"] },
};
const whys = {
  new_member: "why_new_member", second_tag: "why_second_tag", lost: "why_lost", stolen: "why_stolen", damaged: "why_damaged",
  upgraded: "why_upgraded", returned: "why_returned", asked: "why_asked", wrong_member: "why_wrong_member",
};
const lying = { unknown: "lies_unknown", blocked: "lies_blocked", clashing: "lies_clashing" };

const panel = { view: "find", query: "", found: null, wallet: null, task: null, fault: "", busy: false };
let host = null; // { me, askWho, now, shown, toast }

export function wireWallet(h) {
  host = h;
  byId("cards-open").addEventListener("click", () => openFind());
  byId("shown-give").addEventListener("click", () => openFind());
  byId("cards").addEventListener("close", () => { panel.wallet = panel.task = null; });
}

function openFind() {
  Object.assign(panel, { view: "find", query: "", found: null, wallet: null, task: null, fault: "" });
  open();
  search();
}

// openWallet opens the panel at one member's cards.
export function openWallet(member) {
  Object.assign(panel, { view: "wallet", wallet: null, task: null, fault: "" });
  open();
  load(member);
}

function open() {
  render();
  if (!byId("cards").open) byId("cards").showModal();
  byId("cards-body").querySelector("input, button")?.focus();
}

// tickWallet follows the card that was shown, without touching what somebody types.
export function tickWallet() {
  if (!byId("cards").open) return;
  const line = byId("cards-body").querySelector(".lies");
  if (line) fillLies(line);
  const go = byId("cards-body").querySelector("[type=submit].main");
  if (go && panel.task) go.disabled = panel.busy || (tasks[panel.task.verb].shown && !host.shown());
}

// render draws the panel anew, as after a change of the language.
export function render() {
  if (!host) return;
  const views = { find: findView, wallet: walletView, task: taskView };
  byId("cards-title").textContent = panel.view === "find" ? w.word("cards_title") :
    panel.view === "task" ? w.word(tasks[panel.task.verb].title) : w.say(panel.wallet?.name) || w.word("cards_title");
  byId("cards-body").replaceChildren(...views[panel.view]());
  tickWallet();
}

async function ask(method, path, body) {
  try {
    const answer = await fetch("/v1/reception/" + path, {
      method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body),
      cache: "no-store", signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return { data: answer.status === 204 ? null : await answer.json() };
    return { fault: faultOf((await answer.json().catch(() => ({}))).code) };
  } catch {
    return { fault: "err_network" };
  }
}

const codes = ["no_member", "unproved", "not_shown", "card_taken", "card_theirs", "card_lost", "card_clashes", "card_many", "card_gone", "card_same", "busy"];
const faultOf = (code) => (codes.includes(code) ? "err_" + code : "err_other");

let asked = 0; // searches overtake each other: only the last one counts

async function search() {
  const mine = ++asked;
  const { data, fault } = await ask("POST", "members/search", { query: panel.query });
  if (mine !== asked || panel.view !== "find") return;
  panel.found = data || [];
  panel.fault = fault || "";
  byId("cards-body").querySelector(".found")?.replaceWith(foundList());
}

async function load(member) {
  const { data, fault } = await ask("GET", `members/${encodeURIComponent(member)}/cards`);
  panel.wallet = data || null;
  panel.fault = fault || "";
  if (panel.view === "wallet") {
    render();
    byId("cards-body").querySelector("button")?.focus();
  }
}

function button(cls, text, on) {
  const b = el("button", cls, text);
  b.type = "button";
  b.addEventListener("click", on);
  return b;
}

const faultLine = () => (panel.fault ? el("p", "fault", w.word(panel.fault)) : null);
const some = (...nodes) => nodes.filter(Boolean);

// findView: a field, and who is here or who was found.
function findView() {
  const input = el("input");
  Object.assign(input, { id: "cards-query", type: "search", maxLength: 40, autocomplete: "off", value: panel.query, placeholder: w.word("cards_example") });
  let wait;
  input.addEventListener("input", () => {
    panel.query = input.value.trim();
    clearTimeout(wait);
    wait = setTimeout(search, 200);
  });
  const label = el("label", "", w.word("cards_find"));
  label.htmlFor = "cards-query";
  const form = el("form", "search", label, input);
  form.addEventListener("submit", (e) => { e.preventDefault(); search(); });
  return some(lies(), form, foundList());
}

function foundList() {
  const all = panel.found;
  const head = panel.query ? "" : w.word("cards_here");
  const list = el("ul", "people", ...(all || []).map(personRow));
  const none = all && !all.length && !panel.fault ? el("p", "", w.word(panel.query ? "cards_nobody" : "cards_nobody_here")) : null;
  return el("div", "found", head ? el("h3", "", head) : null, faultLine(), list, none);
}

function personRow(p) {
  const facts = some(p.masked ? el("span", "", p.masked) : null, p.tier_name ? el("span", "", w.say(p.tier_name)) : null,
    el("span", "", "…" + p.member.slice(-4)), p.here ? el("span", "here", w.word("cards_is_here")) : null,
    el("span", "", p.cards ? w.word("cards_count", { n: p.cards }) : w.word("cards_none")));
  const b = button("person", "", () => {
    Object.assign(panel, { view: "wallet", wallet: null, fault: "" });
    render();
    load(p.member);
  });
  b.append(el("strong", "", w.say(p.name)), el("span", "facts", ...facts));
  b.dataset.member = p.member;
  return el("li", "", b);
}

// lies is the line about the card on the reader.
function lies() {
  const line = el("p", "lies");
  line.setAttribute("role", "status");
  fillLies(line);
  return line;
}

function fillLies(line) {
  const s = host.shown();
  const text = s ? w.word(lying[s.standing], { zone: w.say(s.zone) }) : w.word("lies_none");
  if (line.dataset.text === text) return;
  line.dataset.text = text;
  line.classList.toggle("there", Boolean(s));
  line.replaceChildren(icon(s ? "i-card" : "i-wave"), el("span", "", text));
}

// walletView: one member's cards and what can be done with each.
function walletView() {
  const back = button("quieter", w.word("cards_other"), openFind);
  const p = panel.wallet;
  if (!p) return some(panel.fault ? faultLine() : el("p", "", w.word("cards_wait")), el("div", "row", back));
  const held = el("ul", "held", ...p.held.map(cardRow));
  const has = p.held.filter((c) => !c.lost);
  const acts = el("div", "row", back, button("main", w.word("do_bind"), () => start("bind", null)));
  const all = has.length > 1 ? button("quieter plain", w.word("do_block_all"), () => start("block", null)) : null;
  return some(el("p", "facts", ...some(p.masked ? el("span", "", p.masked) : null, el("span", "", "…" + p.member.slice(-4)),
    p.here ? el("span", "here", w.word("cards_is_here")) : null)), faultLine(), held, p.held.length ? null : el("p", "", w.word("cards_none_yet")), all, acts);
}

function cardRow(c) {
  const since = w.at(c.at) ? w.word(c.lost ? "card_lost_since" : "card_since", { ago: w.daysAgo(w.at(c.at), host.now()) }) : w.word(c.lost ? "card_is_lost" : "card_in_use");
  const acts = c.lost ? ["found"] : ["block", "replace", "unbind"];
  const row = el("li", c.lost ? "lost-card" : "", icon("i-card"), el("div", "", el("strong", "label", c.label), el("span", "facts", el("span", "", since))),
    el("div", "does", ...acts.map((verb) => button("quieter small", w.word(tasks[verb].short), () => start(verb, c)))));
  row.dataset.card = c.id;
  return row;
}

function start(verb, card) {
  const all = tasks[verb].why;
  const why = verb === "bind" ? all[panel.wallet.held.length ? 1 : 0] : all.length === 1 ? all[0] : "";
  Object.assign(panel, { view: "task", fault: "", task: { verb, card, why } });
  render();
  byId("cards-body").querySelector("input, button")?.focus();
}

// taskView: what will be done, why, and that it is the right person.
function taskView() {
  const { verb, card } = panel.task;
  const task = tasks[verb];
  const name = w.say(panel.wallet.name);
  const form = el("form", "task",
    el("p", "", w.word((!card && task.all) || task.about, { name, card: card ? card.label : "" })),
    task.shown ? lies() : null, task.why.length > 1 ? whyChoice() : null,
    task.handsOut ? vouch(name) : null, el("p", "fault", panel.fault ? w.word(panel.fault) : ""));
  form.querySelector(".fault").setAttribute("role", "alert");
  form.querySelector(".fault").hidden = !panel.fault;
  const go = el("button", "main", w.word(task.go));
  go.type = "submit";
  form.append(el("div", "row", button("quieter", w.word("cards_back"), () => { Object.assign(panel, { view: "wallet", fault: "" }); render(); }), go));
  form.addEventListener("submit", (e) => { e.preventDefault(); change(form); });
  return [form];
}

function whyChoice() {
  const set = el("fieldset", "", el("legend", "", w.word("why_title")));
  for (const why of tasks[panel.task.verb].why) {
    const input = el("input");
    Object.assign(input, { type: "radio", name: "why", value: why, required: true, checked: panel.task.why === why });
    input.addEventListener("change", () => { panel.task.why = why; });
    set.append(el("label", "choice", input, el("span", "", w.word(whys[why]))));
  }
  return set;
}

function vouch(name) {
  const input = el("input");
  Object.assign(input, { type: "checkbox", name: "vouched", required: true });
  return el("label", "choice vouch", input, el("span", "", w.word("vouch", { name })));
}

async function change(form) {
  if (panel.busy) return;
  if (!host.me() && !(await host.askWho())) return;
  const { verb, card, why } = panel.task;
  const body = { by: host.me(), reason: why, vouched: Boolean(form.vouched?.checked) };
  if (card) body.card = card.id;
  if (tasks[verb].shown) body.shown = host.shown()?.key || "";
  panel.busy = true;
  tickWallet();
  const who = panel.wallet.member;
  const { fault } = await ask("POST", `members/${encodeURIComponent(who)}/cards/${verb === "found" ? "bind" : verb}`, body);
  panel.busy = false;
  panel.fault = fault || "";
  if (fault) {
    const line = form.querySelector(".fault");
    line.textContent = w.word(fault);
    line.hidden = false;
    tickWallet();
    return;
  }
  host.toast(w.word(tasks[verb].did));
  Object.assign(panel, { view: "wallet", task: null });
  load(who);
}
