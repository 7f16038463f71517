// One card's nodes. The buttons live as long as the card, so that a change never takes the focus away.
import { el, icon, setText } from "./dom.js";
import * as w from "./words.js";

const careAfter = 60_000;
const actAfter = 120_000;
const maxTalk = 3;

export class CardView {
  constructor(act) {
    this.root = el("article", "card");
    this.body = el("div", "body");
    this.with = el("span", "with");
    this.main = el("button", "main");
    this.back = el("button", "quieter");
    this.main.type = this.back.type = "button";
    this.main.addEventListener("click", () => act(this.card.state === "new" ? "claim" : "serve", this.card));
    this.back.addEventListener("click", () => act("release", this.card));
    this.root.append(this.body, el("div", "acts", this.with, this.main, this.back));
    this.shown = "";
  }

  // show draws the card anew where something differs.
  show(card, me, now) {
    const sign = JSON.stringify([card, me, w.current()]);
    this.card = card;
    if (sign !== this.shown) {
      this.shown = sign;
      this.draw(card, me, now);
    }
    this.tick(now);
  }

  draw(c, me, now) {
    const open = this.body.querySelector("details")?.open;
    this.root.dataset.visit = c.visit;
    this.root.dataset.state = c.state;
    this.root.classList.toggle("key", Boolean(c.priority));
    const name = el("h3", "name", w.say(c.name));
    name.id = "name-" + c.visit;
    this.root.setAttribute("aria-labelledby", name.id);
    this.timer = el("div", "timer");
    const parts = [el("div", "who", monogram(c), el("div", "id", el("div", "called", name, tier(c)), meta(c, now)), this.timer)];
    const elsewhere = c.state === "claimed" && c.by !== me; // a colleague reads the rest on their own screen
    if (!elsewhere) parts.push(c.quiet ? quiet() : null, chips(c), el("div", "help", talk(c), offer(c, open)));
    this.body.replaceChildren(...parts.filter((p) => p && (p.className !== "help" || p.children.length)));
    this.level = null;
    this.buttons(c, me);
  }

  buttons(c, me) {
    const mine = c.state === "claimed" && c.by === me;
    const theirs = c.state === "claimed" && !mine;
    this.with.hidden = c.state !== "claimed";
    this.with.replaceChildren(icon("i-person"), mine ? w.word("mine") : w.word("theirs", { by: c.by }));
    this.main.hidden = theirs;
    this.main.classList.toggle("calm", Boolean(c.quiet) && c.state === "new");
    this.main.replaceChildren(icon(c.state === "new" ? "i-go" : "i-check"), w.word(verbOf(c)));
    this.back.hidden = c.state !== "claimed";
    this.back.textContent = w.word("release");
  }

  // tick moves the timer: colour, icon and word change together.
  tick(now) {
    const c = this.card;
    const waiting = c.state === "new";
    const passed = now - w.at(waiting ? c.arrived : c.claimed_at);
    let level = "calm";
    if (waiting && !c.quiet) level = passed >= actAfter ? "act" : passed >= careAfter ? "care" : "calm";
    if (level !== this.level) {
      this.level = level;
      this.root.dataset.level = level;
      const [key, sign] = waiting ? levelWords(level, c) : ["helped_for", "i-check"];
      this.passed = el("b");
      this.timer.replaceChildren(icon(sign), el("span", "", w.word(key)), this.passed);
    }
    setText(this.passed, w.span(passed));
  }
}

function verbOf(c) {
  if (c.state !== "new") return "done";
  return c.quiet ? "claim_quiet" : "claim";
}

function levelWords(level, c) {
  if (level === "act") return ["long", "i-alert"];
  if (level === "care") return ["waited", "i-hourglass"];
  return [c.quiet ? "here_for" : "just", "i-clock"];
}

// monogram is the family name's first letter: the Chinese form begins with it, the English one ends with the name.
function monogram(c) {
  const text = w.say(c.name).trim();
  const last = /^\p{Script=Latin}/u.test(text) ? text.split(/\s+/).pop() : text;
  const m = el("span", "monogram", Array.from(last)[0] || "");
  m.setAttribute("aria-hidden", "true");
  return m;
}

function meta(c, now) {
  const p = el("p", "meta");
  if (w.say(c.zone)) p.append(el("span", "", w.say(c.zone)));
  if (c.nth === 1) p.append(el("span", "", w.word("first")));
  if (c.nth > 1) p.append(el("span", "", w.word("nth", { n: w.nth(c.nth) })));
  if (w.at(c.last_visit)) p.append(el("span", "", w.word("last_here", { ago: w.daysAgo(w.at(c.last_visit), now) })));
  if (c.language && c.language.split("-")[0] !== w.current().split("-")[0]) {
    p.append(el("span", "", w.word("speaks", { language: w.languageName(c.language) })));
  }
  return el("div", "clip", p);
}

function tier(c) {
  return c.tier ? el("span", "tier " + c.tier.replace(/[^a-z]/g, ""), w.say(c.tier_name) || c.tier) : null;
}

function quiet() {
  return el("p", "silent", icon("i-quiet"), el("span", "", el("strong", "", w.word("quiet")), w.word("quiet_more")));
}

function chips(c) {
  const list = el("ul", "chips");
  if (c.priority) list.append(el("li", "star", icon("i-star"), w.word("priority")));
  for (const why of c.why || []) list.append(el("li", "", w.say(why)));
  return list.children.length ? list : null;
}

function talk(c) {
  if (!c.talk?.length) return null;
  const lines = el("ol", "", ...c.talk.slice(0, maxTalk).map((t) => el("li", "", w.say(t))));
  return el("div", "talk", el("h4", "", icon("i-talk"), w.word("talk")), lines);
}

function offer(c, open) {
  if (!c.offer) return null;
  const box = el("div", "offer", icon("a-" + c.offer.art, "icon art"), el("h4", "", w.word("offer")),
    el("p", "what", w.say(c.offer.title)), el("p", "more", w.say(c.offer.text)));
  if (c.offer_why?.length) {
    const fold = el("details", "", el("summary", "", w.word("offer_why")),
      el("ul", "", ...c.offer_why.map((t) => el("li", "", w.say(t)))));
    fold.open = Boolean(open);
    box.append(fold);
  }
  return box;
}
