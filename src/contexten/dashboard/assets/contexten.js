// What a page does by itself, without asking the server: colours before the first paint, times that go on, copying,
// keys, and a log that stays at its end, or where the reader has scrolled to.
(() => {
  "use strict";

  // Colours: what was chosen, before anything is painted, and whatever else would like to set them.
  const root = document.documentElement;
  const chosen = () => { try { return localStorage.getItem("theme") ?? "system"; } catch { return "system"; } };
  const paint = () => {
    const scheme = chosen() === "system" ? "" : chosen();
    if (root.style.colorScheme !== scheme) root.style.colorScheme = scheme;
    if (root.dataset.colours !== scheme) root.dataset.colours = scheme; // the style sheet goes by this one
    document.querySelectorAll("select[data-colours]").forEach((each) => { if (each.value !== chosen()) each.value = chosen(); });
  };
  paint();
  new MutationObserver(paint).observe(root, { attributes: true, attributeFilter: ["style"] });
  window.addEventListener("storage", paint);
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("select[data-colours]")) return;
    try { localStorage.setItem("theme", event.target.value); } catch { /* for this page alone */ }
    paint();
  });

  // Times
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const span = (seconds) => {
    const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, "s"];
    return `${Math.floor(seconds / size)} ${unit}`;
  };
  const long = (seconds) => (seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
  const tell = (element) => {
    const at = new Date(element.dateTime);
    if (!element.dateTime || Number.isNaN(at.getTime())) { element.textContent = ""; return; }
    const seconds = Math.max(0, Math.floor((Date.now() - at.getTime()) / 1000));
    const kind = element.dataset.kind;
    const text = kind === "clock" ? at.toLocaleTimeString() : kind === "elapsed" ? `for ${long(seconds)}`
      : seconds < 5 ? "just now" : `${span(seconds)} ago`;
    if (element.textContent !== text) element.textContent = text;
    if (kind !== "elapsed" && !element.title) element.title = at.toLocaleString();
  };
  const tellAll = (root) => root.querySelectorAll?.("time[data-kind]").forEach(tell);
  setInterval(() => { if (!document.hidden) tellAll(document); }, 1000);
  document.addEventListener("visibilitychange", () => tellAll(document));

  // The log: at its end while it follows, else with the same entry at the same place.
  let anchor = null;
  const log = () => document.getElementById("log");
  const follows = (box) => box.dataset.follow === "true";
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 48;
  const remember = (box) => {
    const top = box.getBoundingClientRect().top;
    const row = [...box.querySelectorAll("[data-position]")].find((each) => each.getBoundingClientRect().bottom > top);
    anchor = row ? { position: row.dataset.position, top: row.getBoundingClientRect().top - top } : null;
  };
  const settle = () => {
    const box = log();
    if (!box) { anchor = null; return; }
    if (follows(box)) { box.scrollTop = box.scrollHeight; return; }
    const row = anchor && box.querySelector(`[data-position="${anchor.position}"]`);
    if (row) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - anchor.top;
  };
  let held = 0; // when the reader last moved by hand
  const moved = () => { held = Date.now(); };
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) document.addEventListener(kind, moved, { passive: true });
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (box?.id !== "log") return;
    remember(box);
    if (Date.now() - held > 1500) return; // we have moved it, not the reader
    if (follows(box) && !atEnd(box)) document.getElementById("log-hold")?.click();
    else if (!follows(box) && atEnd(box) && !document.getElementById("later")) document.getElementById("log-follow")?.click();
  }, true);
  window.addEventListener("resize", settle);

  new MutationObserver((changes) => {
    let inLog = false;
    paint();
    for (const change of changes) {
      if (change.type === "attributes") { if (change.target.matches("time")) tell(change.target); else inLog = true; continue; }
      for (const node of change.addedNodes) if (node.nodeType === 1) { if (node.matches("time[data-kind]")) tell(node); tellAll(node); }
      inLog ||= Boolean(change.target.closest?.("#log")) || Boolean(log());
    }
    if (inLog) settle();
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["datetime", "data-follow"] });

  // Copying
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const text = button.dataset.copyHere ? location.href.split(/[?#]/)[0] : button.dataset.copy;
    const said = button.textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Press Ctrl+C"; prompt("Copy:", text); }
    setTimeout(() => { button.textContent = said; }, 1500);
  });

  // Keys: "/" finds, "n" begins a run, "j" and "k" go from run to run; Ctrl+Enter sends what is being written.
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (field) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field.dataset.send) { event.preventDefault(); field.form?.requestSubmit(); }
      else if (event.key === "Escape") field.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const go = { "/": () => document.getElementById("search"), n: () => document.getElementById("prompt") ?? document.getElementById("next") }[event.key]?.();
    if (go) { event.preventDefault(); go.focus(); return; }
    if (event.key !== "j" && event.key !== "k") return;
    const titles = [...document.querySelectorAll(".card-title")];
    const here = titles.indexOf(document.activeElement);
    titles[Math.max(0, Math.min(titles.length - 1, here + (event.key === "j" ? 1 : -1)))]?.focus();
  });

  // A link to a field, such as #next, goes there once the field is on the page.
  new MutationObserver(() => {
    const field = location.hash === "#next" && document.getElementById("next");
    if (field && !field.disabled && field.dataset.sought !== location.pathname) { field.dataset.sought = location.pathname; field.focus(); }
  }).observe(document, { childList: true, subtree: true });
})();
