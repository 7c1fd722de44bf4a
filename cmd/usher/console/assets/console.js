// What the console does in the browser beside htmx: the dialog, what is kept while
// the page renews itself, and telling when usher does not answer. Plots are drawn by
// plots.js. Nothing here is evaluated from text.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const sheet = $("sheet");

  // Renewing keeps what the person has opened, and what other scripts draw.
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) => !(old.dataset && "keep" in old.dataset && old.childElementCount > 0) && old.id !== "filter",
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
  });

  // Who was at something that is gone goes on from the page, not from nowhere.
  let at;
  document.addEventListener("htmx:beforeSwap", () => { at = document.activeElement; });
  document.addEventListener("htmx:afterSwap", () => {
    if (at && !at.isConnected && document.activeElement === document.body) $("main").focus({ preventScroll: true });
  });

  // What has not changed is not sent again: each part says which version it has.
  const versions = new Map();
  document.addEventListener("htmx:configRequest", (e) => {
    const { elt, headers, path, parameters } = e.detail;
    if (elt.id === "live" && $("filter")) parameters.set("filter", $("filter").value);
    const key = path + "?" + JSON.stringify([...parameters.entries()]);
    if (elt.id === "live" || elt.id === "paper") {
      if (versions.get(elt.id)?.key === key) headers["If-None-Match"] = versions.get(elt.id).tag;
      elt.dataset.key = key;
    } else if (elt.id === "filter") {
      versions.delete("live");
    }
  });
  document.addEventListener("htmx:afterRequest", (e) => {
    const { elt, xhr, successful } = e.detail;
    if (!successful || (elt.id !== "live" && elt.id !== "paper") || xhr.status !== 200) return;
    versions.set(elt.id, { key: elt.dataset.key, tag: xhr.getResponseHeader("ETag") });
  });
  document.addEventListener("htmx:beforeRequest", (e) => {
    if (document.hidden && (e.target.id === "live" || e.target.id === "paper")) e.preventDefault();
  });
  const refresh = () => ["live", "paper"].forEach((id) => htmx.trigger($(id), "refresh"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  // What is shown may be old: say so.
  let heard = Date.now();
  const stale = (text, link) => {
    const box = $("stale");
    if (box.textContent !== text + (link ? " Log in" : "")) {
      box.textContent = text;
      if (link) {
        const a = document.createElement("a");
        a.href = "/login";
        a.textContent = "Log in";
        box.append(" ", a);
      }
    }
    box.hidden = !text;
    document.body.classList.toggle("old", Boolean(text));
  };
  document.addEventListener("htmx:afterRequest", (e) => {
    if (e.detail.xhr.status >= 200 && e.detail.xhr.status < 400) { heard = Date.now(); stale(""); }
  });
  const silent = () => stale("usher does not answer. What you see is of " + new Date(heard).toLocaleTimeString([], { hourCycle: "h23" }) + ".");
  document.addEventListener("htmx:sendError", silent);
  document.addEventListener("htmx:timeout", silent);
  document.addEventListener("htmx:responseError", (e) => {
    const { xhr } = e.detail;
    if (xhr.status === 401) stale("You are no longer logged in.", true);
    else say(reason(xhr), true);
  });
  const reason = (xhr) => {
    if (!(xhr.getResponseHeader("Content-Type") || "").includes("html")) return xhr.responseText.trim() || "usher answered " + xhr.status;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    return page.querySelector(".words")?.textContent || "usher answered " + xhr.status;
  };

  // Results, for eyes and screen readers.
  let clearing;
  const fade = () => {
    clearTimeout(clearing);
    clearing = setTimeout(() => { $("said").textContent = ""; }, 12000);
  };
  const say = (text, fault) => {
    $("said").textContent = text;
    $("said").classList.toggle("fault", Boolean(fault));
    fade();
  };

  // The dialog. What opened it is focused again when it closes, or what took its place.
  let opener = "";
  const open = () => {
    if (!sheet.open) sheet.showModal();
    (sheet.querySelector("[autofocus]") || sheet.querySelector(":checked") || sheet.querySelector("button"))?.focus();
  };
  document.addEventListener("htmx:afterSwap", (e) => { if (e.detail.target === sheet && sheet.childElementCount > 0) open(); });
  document.addEventListener("saved", () => {
    $("said").classList.remove("fault");
    fade();
    sheet.close();
    refresh();
  });
  sheet.addEventListener("close", () => {
    sheet.replaceChildren();
    ($(opener) || $("main")).focus({ preventScroll: true });
  });
  sheet.addEventListener("click", (e) => { // beside it
    const r = sheet.getBoundingClientRect();
    if (e.target === sheet && (e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom)) sheet.close();
  });

  document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button) return;
    const { sheet: form, preview } = button.dataset;
    if (form === undefined && preview === undefined) {
      if ("close" in button.dataset) sheet.close();
      if ("all" in button.dataset) { $("all-changes").value = "1"; refresh(); }
      return;
    }
    if (!sheet.open) opener = button.id;
    if (form !== undefined) send("GET", form);
    else send("POST", "/console/preview", new URLSearchParams(preview));
  });

  // Forms of the dialog are sent from here: htmx knows a new form a moment after it
  // is shown, and whoever is quicker than that would leave the page by it.
  let pending = false;
  const send = (method, path, fields) => {
    if (pending) return;
    pending = true;
    htmx.ajax(method, path, { target: sheet, swap: "innerHTML", source: document.body, values: Object.fromEntries(fields || []) })
      .finally(() => { pending = false; });
  };
  sheet.addEventListener("submit", (e) => {
    e.preventDefault();
    send("POST", e.target.dataset.post, new FormData(e.target));
  });

  // A diff comes when it is asked for; toggle does not bubble.
  document.addEventListener("toggle", (e) => {
    const at = e.target;
    const into = at.open && at.dataset?.diff && at.querySelector(".later");
    if (into && into.childElementCount === 0) htmx.ajax("GET", at.dataset.diff, { target: into, swap: "innerHTML", source: document.body });
  }, true);
})();
