// Texts and how times are said. One language is in force; switching needs no request, since all are loaded at the start.
import { store } from "./keep.js";

const langs = document.documentElement.dataset.langs.split(" ");
const texts = {};
let lang = "en";

export async function loadWords() {
  await Promise.all(langs.map(async (l) => {
    const answer = await fetch(`words/${l}.json`);
    if (!answer.ok) throw new Error(`words ${l}: ${answer.status}`);
    texts[l] = await answer.json();
  }));
  const wanted = [store.get("lang"), ...(navigator.languages || [navigator.language])];
  setLang(wanted.map(known).find(Boolean) || langs[0]);
}

function known(tag) {
  if (!tag) return "";
  return langs.find((l) => l === tag) || langs.find((l) => l.split("-")[0] === tag.split("-")[0]);
}

export const current = () => lang;
export const next = () => langs[(langs.indexOf(lang) + 1) % langs.length];
export const wordIn = (l, key) => texts[l][key] || key;

export function setLang(l) {
  lang = l;
  document.documentElement.lang = l;
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
}

export function word(key, marks = {}) {
  return (texts[lang][key] || key).replace(/\{([a-z]+)\}/g, (all, name) => (name in marks ? marks[name] : all));
}

// say picks one language of a Text: the current one, else English, else any.
export function say(text) {
  if (!text) return "";
  return text[lang] || text.en || Object.values(text)[0] || "";
}

// join puts sentences together as the language does: Chinese leaves no space.
export const join = (...sentences) => sentences.filter(Boolean).join(lang.startsWith("zh") ? "" : " ");

// at reads a time of the API; Go's zero time means "never".
export function at(text) {
  const t = Date.parse(text || "");
  return t > 0 ? t : 0;
}

export const clock = (ms) => new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
export const number = (n) => new Intl.NumberFormat(lang).format(n);
export const day = (ms) => new Intl.DateTimeFormat(lang, { weekday: "long", month: "long", day: "numeric" }).format(ms);

// span writes a time that passed as 0:07, 12:40 or 1:02:03.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const steps = [["year", 365 * 864e5], ["month", 30 * 864e5], ["week", 7 * 864e5], ["day", 864e5], ["hour", 36e5], ["minute", 6e4]];

// ago says roughly how long ago something was: "3 weeks ago".
export function ago(then, now) {
  const f = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const past = Math.max(0, now - then);
  for (const [unit, size] of steps) if (past >= size) return f.format(-Math.floor(past / size), unit);
  return word("just_now");
}

// daysAgo says it by calendar days, as people do of visits: "yesterday".
export function daysAgo(then, now) {
  const midnight = (t) => new Date(t).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(then)) / 864e5);
  return days < 14 ? new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(-days, "day") : ago(then, now);
}

// nth writes a rank as the language does: 1st, 22nd; Chinese takes the bare number.
export function nth(n) {
  if (!lang.startsWith("en")) return String(n);
  const ending = { one: "st", two: "nd", few: "rd", other: "th" };
  return n + ending[new Intl.PluralRules("en", { type: "ordinal" }).select(n)];
}

export function languageName(tag) {
  try {
    return new Intl.DisplayNames(lang, { type: "language" }).of(tag.split("-")[0]);
  } catch {
    return tag;
  }
}
