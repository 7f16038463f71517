// Keeps one face right for ever: a snapshot, then each event once and in order; where that cannot be, a new snapshot.
// The rules are those of the Go client (api.Follow). EventSource is not used: it hides heartbeats and answers like 401.
const heartbeat = 5000;
const silence = 3 * heartbeat;
const firstWait = 100;
const longWait = 2000;
const deniedWait = 10000;
const maxMessage = 1 << 20;

class Resync extends Error {}
class Denied extends Error {}

export function follow(face, on) {
  const f = { face, on, whole: false, epoch: "", last: 0, tries: 0, online: false, wake: null };
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && f.wake && f.wake());
  addEventListener("online", () => f.wake && f.wake());
  run(f);
}

async function run(f) {
  for (;;) {
    const began = performance.now();
    try {
      await session(f);
    } catch (err) {
      if (err instanceof Denied) f.on({ denied: true });
      if (performance.now() - began >= heartbeat) f.tries = 0;
      if (err instanceof Resync) {
        f.whole = false;
        if (f.tries++ === 0) continue;
      }
      tell(f, false);
      await pause(f, err);
      f.tries++;
    }
  }
}

function tell(f, online) {
  if (f.online !== online || !online) f.on({ online });
  f.online = online;
}

function pause(f, err) {
  const most = err instanceof Denied ? deniedWait : Math.min(firstWait * 2 ** Math.min(f.tries, 10), longWait);
  return new Promise((done) => {
    const t = setTimeout(done, most * (1 - Math.random() / 3));
    f.wake = () => { clearTimeout(t); done(); };
  }).finally(() => { f.wake = null; });
}

async function session(f) {
  const stop = new AbortController();
  let alarm;
  const heard = () => {
    clearTimeout(alarm);
    alarm = setTimeout(() => stop.abort(), silence);
  };
  heard();
  try {
    if (!f.whole) await snapshot(f, stop.signal);
    const query = new URLSearchParams({ epoch: f.epoch, after: f.last });
    const answer = await ask(`/v1/${f.face}/events?${query}`, stop.signal);
    tell(f, true);
    await read(answer.body.getReader(), heard, (m) => take(f, m));
  } finally {
    clearTimeout(alarm);
    stop.abort();
  }
}

async function snapshot(f, signal) {
  const answer = await ask(`/v1/${f.face}/snapshot`, signal);
  const s = await answer.json();
  [f.whole, f.epoch, f.last] = [true, s.epoch, s.last];
  tell(f, true);
  f.on({ snapshot: s, page: answer.headers.get("Foyer-Page") });
}

async function ask(address, signal) {
  const answer = await fetch(address, { signal, cache: "no-store" });
  if (answer.status === 401 || answer.status === 403) throw new Denied(`${answer.status}`);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

function take(f, m) {
  if (m.event === "resync") throw new Resync();
  const e = JSON.parse(m.data);
  if (e.id <= f.last) return;
  if (e.id > f.last + 1) throw new Resync();
  [f.last, f.tries] = [e.id, 0];
  f.on({ event: e });
}

// read splits the stream into messages. Our server ends lines with LF and a message with an empty line.
async function read(reader, heard, each) {
  const decoder = new TextDecoder();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the stream ended");
    heard();
    held += decoder.decode(value, { stream: true });
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const m = parse(held.slice(0, end));
      held = held.slice(end + 2);
      if (m.data) each(m);
    }
    if (held.length > maxMessage) throw new Error("a message is too long");
  }
}

function parse(text) {
  const m = { event: "", data: "" };
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) m.event = line.slice(7);
    if (line.startsWith("data: ")) m.data += line.slice(6);
  }
  return m;
}
