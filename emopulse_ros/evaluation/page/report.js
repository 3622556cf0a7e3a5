"use strict";
// What a person does to the page: wheel, fingers, keys, buttons, links to a stretch of time.

function complain(text) {
  const box = document.getElementById("errors");
  box.hidden = false;
  box.textContent += `${text}\n`;
  document.documentElement.dataset.errors = String(1 + Number(document.documentElement.dataset.errors || 0));
}
window.addEventListener("error", (event) => complain(event.message));

const LEGEND = [
  ["probability", "--fill", "--seen", true], ["true movement", "--truth", "", false], ["blink", "--blink", "", false],
  ["speech", "--speech", "", false],
  ["less than half met", "", "--seen", false], ["missed or false", "", "--bad", false],
  ["frames missing", "--gap", "", true], ["no activation", "--blind", "", true],
];
const KEYS = {
  "+": (it) => it.zoom(0.5), "=": (it) => it.zoom(0.5), "-": (it) => it.zoom(2), "0": (it) => it.show(0, Infinity),
  ArrowLeft: (it) => it.move(-0.2), ArrowRight: (it) => it.move(0.2),
  Home: (it) => it.show(0, it.view.end - it.view.start),
  End: (it) => it.show(it.whole.end - it.view.end + it.view.start, it.whole.end),
};

function furnish(timeline) {
  const tools = document.createElement("div"), buttons = document.createElement("div"), legend = document.createElement("div");
  tools.className = "tools";
  legend.className = "legend";
  for (const [face, name, key] of [["−", "zoom out", "-"], ["+", "zoom in", "+"], ["◀", "earlier", "ArrowLeft"], ["▶", "later", "ArrowRight"], ["all", "show all", "0"]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: face, title: name });
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => KEYS[key](timeline));
    buttons.append(button);
  }
  const kinds = new Set(timeline.data.labels.map((label) => label[2]));
  for (const [name, fill, edge, always] of LEGEND) {
    if (!always && !timeline.data.known) continue;
    if ((name === "blink" || name === "speech") && !kinds.has(name)) continue;
    if (name === "frames missing" && !timeline.data.missing.length) continue;
    if (name === "no activation" && !timeline.data.blind.length) continue;
    const entry = document.createElement("span"), box = document.createElement("i");
    if (fill) box.style.background = `var(${fill})`;
    if (edge) box.style.borderColor = `var(${edge})`;
    entry.append(box, name);
    legend.append(entry);
  }
  tools.append(buttons, legend);
  timeline.box.prepend(tools);
  const hint = timeline.box.appendChild(document.createElement("p"));
  hint.className = "hint";
  hint.textContent = "Drag to move; Ctrl + wheel, pinch, or the wheel after a click zooms; a double click on an event shows it. Keys: + − ← → 0 Home End.";
}

function attend(timeline) {
  const { canvas } = timeline, held = new Map();
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("wheel", (event) => {
    const across = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    // The page scrolls under a wheel unless the timeline was chosen.
    if (!across && !event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    if (across) timeline.move((event.deltaX || event.deltaY) / 800);
    else timeline.zoom(2 ** (event.deltaY * (event.deltaMode ? 16 : 1) / (event.ctrlKey ? 120 : 240)), timeline.time(place(event)[0]));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, place(event)[0]);
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("held");
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (held.has(event.pointerId)) {
      const before = held.get(event.pointerId), [other] = [...held].filter(([id]) => id !== event.pointerId);
      held.set(event.pointerId, x);
      if (!other) timeline.move((before - x) / (timeline.right - timeline.left));
      else timeline.zoom(Math.max(Math.abs(before - other[1]), 8) / Math.max(Math.abs(x - other[1]), 8), timeline.time((x + other[1]) / 2));
    }
    timeline.point(x, y);
  });
  const release = (event) => { held.delete(event.pointerId); canvas.classList.toggle("held", held.size > 0); };
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, release);
  canvas.addEventListener("pointerleave", () => timeline.point());
  canvas.addEventListener("dblclick", (event) => {
    const time = timeline.time(place(event)[0]);
    const hit = [...timeline.data.found, ...timeline.data.true].find(([start, end]) => start <= time && time <= end);
    if (hit) timeline.show(hit[0] - 0.25, hit[1] + 0.25); else timeline.zoom(0.5, time);
  });
  canvas.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act(timeline);
  });
}

const recordings = JSON.parse(document.getElementById("data").textContent);
const timelines = new Map();

// A recording's arrays are unpacked when it comes into view: there may be many recordings.
function opening(box) {
  if (!timelines.has(box)) {
    const timeline = new Timeline(box, recordings[box.dataset.recording]);
    timelines.set(box, timeline);
    furnish(timeline);
    attend(timeline);
  }
  return timelines.get(box);
}
const boxes = [...document.querySelectorAll(".timeline")];
const everyTimeline = () => boxes.map(opening);
const watch = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) { opening(target); watch.unobserve(target); }
}, { rootMargin: "600px" });
for (const box of boxes) watch.observe(box);

// "#r1@2.5-3.25" is a stretch of the first recording: what the table of events links to.
function follow() {
  const found = /^#(r\d+)@([\d.]+)-([\d.]+)$/.exec(location.hash);
  const section = found && document.getElementById(found[1]);
  if (!section) return;
  const box = section.querySelector(".timeline");
  opening(box).show(Number(found[2]), Number(found[3]));
  for (const row of document.querySelectorAll(".events tr")) {
    const link = row.querySelector("a");
    row.classList.toggle("shown", Boolean(link) && link.hash === location.hash);
  }
  box.scrollIntoView({ block: "nearest" });
}
window.addEventListener("hashchange", follow);
document.addEventListener("click", (event) => {
  const row = event.target.closest(".events tbody tr"), link = row && row.querySelector("a");
  if (!link || String(getSelection())) return;
  // A link to where the page is already moves nothing, but the window may have been moved since.
  event.preventDefault();
  history.pushState(null, "", link.hash);
  follow();
});

const repaint = () => timelines.forEach((timeline) => timeline.draw());
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
window.addEventListener("beforeprint", () => { everyTimeline(); document.documentElement.classList.add("print"); repaint(); });
window.addEventListener("afterprint", () => { document.documentElement.classList.remove("print"); repaint(); });

// For tests: what was drawn, as attributes of the document, before and after a zoom.
function selftest() {
  const told = document.documentElement.dataset, look = ({ canvas, pen }) => {
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height), colours = new Set();
    let changed = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2]) changed++;
      colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    }
    return [changed, colours.size];
  };
  const all = everyTimeline();
  told.lanes = all.map((it) => it.lanes.length).join(" ");
  told.ink = all.map((it) => look(it).join("/")).join(" ");
  for (const it of all) {
    const began = performance.now();
    it.draw();
    told.drawMs = Math.max(Number(told.drawMs || 0), performance.now() - began).toFixed(1);
    KEYS["+"](it);
    KEYS.ArrowRight(it);
    it.point((it.left + it.right) / 2, it.height / 2);
    it.draw();
  }
  told.tips = all.map((it) => it.tip.textContent.length).join(" ");
  told.zoomed = all.map((it) => ((it.view.end - it.view.start) / it.whole.end).toFixed(3)).join(" ");
  const row = document.querySelector(".events tbody tr");
  if (row) { row.click(); told.clicked = location.hash; told.shown = all[0].view.start.toFixed(3); }
}

follow();
if (location.hash === "#selftest") selftest();
