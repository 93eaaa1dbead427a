// The invoker beyond its form: JSON checked while it is typed, laid out without a digit changed, and the call as it is
// now written as programs. It uses `post` and `say` of admin.js.
"use strict";

const form = document.getElementById("invoker");
const payload = document.getElementById("payload");
const service = document.getElementById("service");
const fine = document.getElementById("payload-fine");
// Characters of a payload that are worth checking at every pause of somebody who types.
const LONGEST = 1_000_000;
const PAUSE = 350;

// JSON, RFC 8259, and the words for numbers that are none, which the server takes.

const PARTS = /[ \t\n\r]+|[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity/y;
const CLOSES = {"{": "}", "[": "]"};

class Fault extends Error {
  constructor(text, at, why) {
    const before = text.slice(0, at).split("\n");
    super(`Line ${before.length}, column ${before.at(-1).length + 1}: ${why}`);
    this.at = at;
  }
}

// The parts of a JSON text in their order, or a Fault that says where it ends to be one.
function partsOf(text) {
  const parts = [], open = [];
  let wanted = "value", at = 0;
  const close = (part) => {
    if (CLOSES[open.pop()] !== part) throw new Fault(text, at, `this ${part} closes nothing.`);
    wanted = "end";
  };
  const steps = {
    "value": (part) => {
      if (part === "{" || part === "[") { open.push(part); wanted = part === "{" ? "first key" : "first value"; return; }
      if (/^[}\],:]/.test(part)) throw new Fault(text, at, `a value is missing before ${part}`);
      wanted = "end";
    },
    "first value": (part) => part === "]" ? close(part) : steps.value(part),
    "first key": (part) => part === "}" ? close(part) : steps.key(part),
    "key": (part) => {
      if (part[0] !== '"') throw new Fault(text, at, "a key in double quotes is missing here.");
      wanted = "colon";
    },
    "colon": (part) => {
      if (part !== ":") throw new Fault(text, at, "a colon is missing after the key.");
      wanted = "value";
    },
    "end": (part) => {
      const inside = open.at(-1);
      if (part === "," && inside) { wanted = inside === "{" ? "key" : "value"; return; }
      if (part === "}" || part === "]") { close(part); return; }
      throw new Fault(text, at, inside ? `a comma or ${CLOSES[inside]} is missing here.` : "the JSON ends before this.");
    },
  };
  while (at < text.length) {
    PARTS.lastIndex = at;
    const found = PARTS.exec(text);
    if (!found) throw new Fault(text, at, text[at] === '"' ? "this text has no end, or something in it that JSON writes with a backslash." : "this is not JSON.");
    const part = found[0];
    if (!/^[ \t\n\r]/.test(part)) { steps[wanted](part); parts.push(part); }
    at += part.length;
  }
  if (parts.length && (wanted !== "end" || open.length)) {
    throw new Fault(text, text.length, open.length ? `${CLOSES[open.at(-1)]} is missing at the end.` : "a value is missing at the end.");
  }
  return parts;
}

function laidOut(parts) {
  let depth = 0, text = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  parts.forEach((part, index) => {
    const next = parts[index + 1];
    if (part in CLOSES) {
      depth += 1;
      text += part;
      if (next !== CLOSES[part]) text += line();
    } else if (part === "}" || part === "]") {
      depth -= 1;
      text += parts[index - 1] in CLOSES ? part : line() + part;
    } else {
      text += part === "," ? part + line() : part === ":" ? ": " : part;
    }
  });
  return text;
}

// What is wrong, beside the field that it is about

function mark(name, text) {
  const place = document.getElementById(`${name}-problem`);
  const input = form.elements[name];
  if (!place) return;
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
  if (text) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  const folded = place.closest("details");
  if (text && folded) folded.open = true;
}

function isJson() { return form.elements.kind.value === "json"; }

function checkSyntax() {
  fine.hidden = true;
  if (!isJson() || payload.value.length > LONGEST) { mark("payload", ""); return true; }
  try {
    partsOf(payload.value);
    mark("payload", "");
    return true;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    mark("payload", fault.message);
    return false;
  }
}

function fieldsNow() {
  const fields = Object.fromEntries(new FormData(form));
  delete fields.form_token;
  return fields;
}

let latest = 0;
let example = form.dataset.example;

async function checkAll() {
  const right = checkSyntax();
  if (payload.value.length > LONGEST) return;
  const number = ++latest;
  let reply;
  try {
    reply = await post("/invoke/check", fieldsNow());
  } catch {
    say("The web admin does not answer. What you typed is here still.");
    return;
  }
  if (number !== latest) return;
  say(reply.status === 200 ? "" : reply.body.error);
  if (reply.status === 200) showChecked(reply.body, right);
}

function showChecked(checked, right) {
  for (const place of form.querySelectorAll(".problem[id]")) {
    const name = place.id.replace(/-problem$/, "");
    if (name !== "payload") mark(name, checked.problems[name] ?? "");
  }
  if (right) mark("payload", checked.problems.payload ?? (checked.accepted?.ok === false ? checked.accepted.message : ""));
  fine.hidden = !(right && checked.accepted?.ok && checked.example && !checked.problems.payload);
  fine.textContent = fine.hidden ? "" : "The service takes this.";
  if (checked.example !== example) {
    const untouched = payload.value.trim() === "" || payload.value === example;
    example = checked.example;
    if (untouched) { payload.value = example; later(); }
  }
  for (const snippet of checked.snippets) showSnippet(snippet);
}

function showSnippet(snippet) {
  const within = document.getElementById(`as-${snippet.name}`);
  const why = within.querySelector("[data-why-not]");
  const text = document.getElementById(`snippet-${snippet.name}`);
  why.textContent = snippet.why_not;
  why.hidden = snippet.why_not === "";
  text.parentElement.hidden = !why.hidden;
  if (text.textContent !== snippet.text) text.textContent = snippet.text;
}

let timer = 0;

function later() {
  // What is asked already is about what the form said before.
  latest += 1;
  clearTimeout(timer);
  timer = setTimeout(checkAll, PAUSE);
}

async function offerNames() {
  try {
    const reply = await post("/invoke/names", {query: service.value});
    if (reply.status !== 200) return;
    const options = reply.body.names.map((name) => Object.assign(document.createElement("option"), {value: name}));
    document.getElementById("services").replaceChildren(...options);
  } catch { /* It is an offer, no more. */ }
}

// Waiting

function showWaiting() {
  const place = document.getElementById("running");
  const began = Date.now();
  document.getElementById("run").disabled = true;
  const tell = () => { place.textContent = `Running for ${Math.round((Date.now() - began) / 1000)} s`; };
  tell();
  setInterval(tell, 1000);
}

form.addEventListener("input", (event) => {
  if (event.target === payload) checkSyntax();
  if (event.target === service) offerNames();
  later();
});
form.addEventListener("submit", (event) => {
  if (isJson() && !checkSyntax()) {
    event.preventDefault();
    payload.focus();
    return;
  }
  showWaiting();
});

payload.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
});

const pretty = document.getElementById("pretty");
pretty.hidden = false;
pretty.addEventListener("click", () => {
  if (!isJson() || !checkSyntax()) return;
  payload.value = laidOut(partsOf(payload.value));
  payload.focus();
  later();
});

// What has an outcome does not change any more.
document.getElementById("outcome")?.addEventListener("replaced", (event) => {
  if (event.currentTarget.querySelector("[data-final]")) event.currentTarget.dispatchEvent(new Event("unfollow"));
});

const result = document.querySelector("[data-result]");
if (result && matchMedia("(max-width: 75rem)").matches) result.scrollIntoView();
if (service.value) checkAll();
