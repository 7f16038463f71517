// The console's own script: live parts, the campaign editor's preview and check, and small conveniences.
// Everything works without it, only not by itself.
"use strict";

// ---- live parts: at each "change", what has data-live is fetched again and put in place --------------------------

const parts = () => document.querySelectorAll("[data-live]");

async function refresh(part) {
  const answer = await fetch(part.dataset.live, { headers: { "X-Part": "1" } });
  if (answer.status === 401) { location.href = "/login"; return; }
  if (!answer.ok || part.querySelector("details[open]")) return; // somebody is reading or about to press something
  const known = new Set([...part.querySelectorAll("[data-key]")].map((row) => row.dataset.key));
  part.innerHTML = await answer.text();
  for (const row of part.querySelectorAll("[data-key]")) {
    if (!known.has(row.dataset.key)) row.classList.add("fresh");
  }
}

function pulse(on) {
  for (const p of document.querySelectorAll("[data-pulse]")) {
    p.classList.toggle("off", !on);
    p.querySelector("span").textContent = on ? p.dataset.up : p.dataset.down;
  }
}

let busy = false, again = false;
async function refreshAll() {
  if (busy) { again = true; return; }
  busy = true;
  try { await Promise.all([...parts()].map(refresh)); } catch { pulse(false); }
  busy = false;
  if (again) { again = false; refreshAll(); }
}

if (document.body.dataset.events) {
  const stream = new EventSource(document.body.dataset.events);
  let lost = false;
  stream.addEventListener("hello", () => { pulse(true); if (lost) refreshAll(); lost = false; });
  stream.addEventListener("change", refreshAll);
  stream.onerror = () => { pulse(false); lost = true; };
  setInterval(refreshAll, 30000); // "2 minutes ago" grows older without any change
}

// ---- copying, files ----------------------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.done;
  } catch { // no right to the clipboard: mark it, so that one key copies it
    getSelection().selectAllChildren(source);
  }
});

for (const input of document.querySelectorAll(".file input")) {
  const name = input.closest(".file").querySelector("[data-file]");
  const show = () => { name.textContent = input.files.length ? input.files[0].name : name.dataset.file; };
  input.addEventListener("change", show);
  const drop = input.closest(".drop");
  drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => {
    e.preventDefault();
    drop.classList.remove("over");
    if (e.dataTransfer.files.length) { input.files = e.dataTransfer.files; show(); }
  });
}

// ---- the campaign editor -----------------------------------------------------------------------------------------

const editor = document.getElementById("editor");
if (editor) {
  const preview = editor.querySelector(".preview");
  const value = (name) => (editor.elements[name]?.value ?? "").trim();
  let tongue = preview.querySelector("[data-tongue][aria-pressed=true]").dataset.tongue;
  const names = { "zh-CN": preview.dataset.namesZh, en: preview.dataset.namesEn };

  const show = (what, text) => {
    for (const spot of preview.querySelectorAll(`[data-show="${what}"]`)) spot.textContent = text;
  };
  const draw = () => {
    const words = preview.querySelector(`[data-words="${tongue}"]`).dataset;
    const say = (text) => text.replaceAll("{name}", names[tongue]);
    const everybody = value("audience") === "true";
    show("headline", say(words.headline));
    show("hello", say(value(tongue + ".hello")));
    show("title", say(value(tongue + ".title")) || words.title);
    show("text", say(value(tongue + ".text")) || words.text);
    show("wall-text", say(value(tongue + ".text")) || words.text);
    show("talk", say(value(tongue + ".talk")) || "…");
    show("try", words.try);
    show("say", words.say);
    preview.lang = tongue;
    preview.querySelector(".wall").classList.toggle("dim", !everybody);
    preview.querySelector("[data-wall-note]").hidden = everybody;
    for (const tile of preview.querySelectorAll("[data-art]")) {
      tile.className = "tile-art art-" + value("art");
      tile.querySelector("use").setAttribute("href", "#a-" + value("art"));
    }
    for (const recipe of editor.querySelectorAll(".recipe")) {
      recipe.setAttribute("aria-pressed", String(recipe.dataset.rule === value("audience")));
    }
    for (const field of editor.querySelectorAll("[data-max]")) {
      const left = [...field.value.trim()].length, count = field.closest(".field").querySelector(".count");
      count.textContent = left + "/" + field.dataset.max;
      count.classList.toggle("over", left > Number(field.dataset.max));
    }
  };
  editor.addEventListener("input", draw);

  editor.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const rule = editor.elements.audience;
    if (button.dataset.tongue) {
      tongue = button.dataset.tongue;
      for (const b of preview.querySelectorAll("[data-tongue]")) b.setAttribute("aria-pressed", String(b === button));
    } else if (button.dataset.rule) {
      rule.value = button.dataset.rule;
    } else if (button.dataset.insert) {
      rule.setRangeText(button.dataset.insert, rule.selectionStart, rule.selectionEnd, "end");
      rule.focus();
    } else if (button.id === "check") {
      check();
    }
    draw();
  });

  const result = editor.querySelector("[data-result]");
  const tell = (text, mood) => { result.textContent = text; result.className = "check-result " + mood; };

  // The faults of a check stand where those of a refused form stand.
  const place = (faults) => {
    for (const old of editor.querySelectorAll(".fault")) old.remove();
    for (const field of editor.querySelectorAll(".wrong")) field.classList.remove("wrong");
    let first = null, count = 0;
    for (const [name, texts] of Object.entries(faults)) {
      const last = name.split(".").pop();
      const spots = name.startsWith("content.*")
        ? editor.querySelectorAll(`[data-field^="content."][data-field$=".${last}"]`)
        : editor.querySelectorAll(`[data-field="${CSS.escape(name)}"], [data-field="${name}"]`);
      count += texts.length;
      for (const spot of spots) {
        spot.classList.add("wrong");
        first ??= spot;
        for (const text of texts) {
          const fault = document.createElement("em");
          fault.className = "fault";
          fault.setAttribute("role", "alert");
          fault.textContent = text;
          spot.append(fault);
        }
      }
    }
    first?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    return count;
  };

  const check = async () => {
    tell(editor.dataset.checking, "");
    try {
      const answer = await fetch(editor.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(editor)) });
      if (!answer.ok) throw new Error(answer.statusText);
      const count = place((await answer.json()).faults);
      tell(count ? editor.dataset.bad.replace("{n}", count) : editor.dataset.ok, count ? "bad" : "good");
    } catch {
      tell(editor.dataset.failed, "bad");
    }
  };

  for (const fault of editor.querySelectorAll(".fault")) fault.closest(".field")?.classList.add("wrong");
  editor.querySelector(".wrong")?.scrollIntoView({ block: "center" });
  draw();
}
