// Forms about invocations: times in the viewer's zone, payloads checked as typed, nothing sent twice. The list and the
// pages themselves need none of it.
"use strict";

// Times: what is typed is of the viewer's zone, what the address has is UTC.

function local(utc) {
  const moment = new Date(`${utc}Z`);
  if (Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() - 60000 * moment.getTimezoneOffset()).toISOString().slice(0, 19);
}

for (const form of document.querySelectorAll("form[data-times]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const each of form.querySelectorAll("[data-zone]")) each.textContent = zone;
  for (const input of form.querySelectorAll("[data-utc]")) input.value = local(input.dataset.utc);
  form.addEventListener("formdata", (event) => {
    for (const input of form.querySelectorAll("[data-utc]")) {
      const moment = new Date(input.value);
      if (input.value) event.formData.set(input.name, moment.toISOString().replace(".000Z", "Z"));
    }
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}

// Payloads: their form at once, and at a pause what the service's declared input says.

const mostChecked = 100000;

for (const form of document.querySelectorAll("form[data-payload]")) {
  const area = form.elements.payload;
  const problem = document.getElementById("payload-problem");
  let pause;
  const say = (text) => {
    problem.textContent = text;
    area.setAttribute("aria-invalid", String(text !== ""));
  };
  const ask = async () => {
    const asked = Object.fromEntries(["service", "kind", "payload"].map((name) => [name, form.elements[name].value]));
    const reply = await post("/invocations/-/check", asked);
    if (asked.payload === area.value && asked.kind === form.elements.kind.value) say(reply.body.problem ?? reply.body.error);
  };
  form.addEventListener("input", () => {
    clearTimeout(pause);
    let text = "";
    if (form.elements.kind.value === "json") {
      try { JSON.parse(area.value); } catch (error) { text = `This is no JSON: ${error.message}`; }
    }
    say(text);
    if (text === "" && area.value.length <= mostChecked) pause = setTimeout(ask, 300);
  });
}

// Nothing is sent twice.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (form === null || event.defaultPrevented) return;
  for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button")) button.disabled = false;
});

// What has ended changes no more.

document.addEventListener("replaced", (event) => {
  if (event.target.querySelector("[data-ended]")) event.target.dispatchEvent(new Event("unfollow"));
});
