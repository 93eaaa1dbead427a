// What pages do beside being read: times in the viewer's zone, ids copied by a click, parts that change by themselves.
// Without it every page still works. It sends nothing anywhere but to the web admin, and makes no HTML of its own.
"use strict";

const token = document.body.dataset.formToken;

// Times

const zoned = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});

function ago(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - moment) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

function showTimes(within) {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.textContent = "ago" in element.dataset ? ago(moment) : zoned.format(moment);
  }
}

// Ids

async function copy(button) {
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else {
    // Pages over plain HTTP from another machine have no clipboard to write to.
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
}

// What changes by itself

function replace(target, html) {
  const focused = document.activeElement;
  const key = target.contains(focused) ? focused.id || focused.getAttribute("href") || focused.dataset.copy : null;
  const open = new Set([...target.querySelectorAll("details[open][id]")].map((each) => each.id));
  target.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  for (const each of target.querySelectorAll("details[id]")) each.open = each.open || open.has(each.id);
  if (key) {
    const again = [...target.querySelectorAll("[id], a[href], [data-copy]")]
      .find((each) => each.id === key || each.getAttribute("href") === key || each.dataset.copy === key);
    again?.focus({preventScroll: true});
  }
  showTimes(target);
  target.dispatchEvent(new CustomEvent("replaced", {bubbles: true}));
}

function say(text) {
  const place = document.querySelector("[data-away]");
  place.textContent = text;
  place.hidden = text === "";
}

function follow(target) {
  const events = new EventSource(target.dataset.live);
  events.addEventListener("html", (event) => { say(""); replace(target, event.data); });
  events.addEventListener("away", (event) => say(`${event.data} What you see is how it was; it goes on by itself.`));
  events.addEventListener("wrong", (event) => { events.close(); say(event.data); });
  events.addEventListener("over", () => { events.close(); location.reload(); });
  events.addEventListener("error", () => {
    if (document.visibilityState === "visible") say("The web admin does not answer. What you see is how it was; it goes on by itself.");
    // A browser gives up after a reply that is no stream, and tries again after a connection that broke.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => follow(target), 3000);
  });
  target.addEventListener("unfollow", () => events.close(), {once: true});
  window.addEventListener("pagehide", () => events.close(), {once: true});
}

// Whoever comes back by the browser's button finds forms that can be sent again, and parts that change again.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// A request of our own script; forms of pages are sent by the browser itself.

async function post(path, fields) {
  const reply = await fetch(path, {
    method: "POST", body: new URLSearchParams(fields), headers: {"X-Form-Token": token}, redirect: "error",
  });
  return {status: reply.status, body: await reply.json()};
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("input[type=search]");
  if (search) { event.preventDefault(); search.focus(); search.select(); }
});

// On a phone the page that is shown may be beyond the edge of the row that it stands in.
for (const here of document.querySelectorAll(".nav [aria-current], .tabs [aria-current]")) {
  const row = here.parentElement;
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

showTimes(document);
setInterval(() => { for (const each of document.querySelectorAll("time[data-ago]")) each.textContent = ago(new Date(each.dateTime)); }, 5000);
for (const target of document.querySelectorAll("[data-live]")) follow(target);
for (const section of document.querySelectorAll("[data-retry]")) {
  setTimeout(() => location.replace(document.querySelector(".button").href), 1000 * Number(section.dataset.retry));
}

// A log-in that has to wait: its button says for how long.

for (const notice of document.querySelectorAll("[data-wait]")) {
  const button = notice.closest("form").querySelector("button.main");
  const label = button.textContent;
  const until = Date.now() + 1000 * Number(notice.dataset.wait);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left > 0) setTimeout(tick, 250);
    else notice.textContent = "You can try again now.";
  };
  tick();
}
