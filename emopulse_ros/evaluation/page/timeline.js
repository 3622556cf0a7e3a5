"use strict";
// One timeline: a window on a recording that is zoomed and moved, and drawn when it has changed.

const NAMES = ["paper", "ink", "faint", "grid", "seen", "fill", "true", "truth", "blink", "speech", "bad", "gap", "blind", "mark"];
const CLOSEST = 0.02; // Seconds across the window, at least.

class Timeline {
  constructor(box, packed) {
    this.box = box;
    this.data = opened(packed);
    Object.assign(this, lanesOf(this.data));
    this.whole = { start: 0, end: Math.max(this.data.end, CLOSEST) };
    this.view = { ...this.whole };
    this.cursor = null;
    this.canvas = box.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Timeline of action units; plus and minus zoom, arrows move, 0 shows all. The tables below say the same in figures.");
    this.canvas.style.height = `${this.height}px`;
    this.tip = box.appendChild(document.createElement("div"));
    this.tip.className = "tip";
    this.tip.hidden = true;
    new ResizeObserver(() => this.later()).observe(this.canvas);
    this.draw();
  }

  show(start, end) {
    const full = this.whole.end - this.whole.start;
    const length = Math.min(Math.max(end - start, CLOSEST), full);
    const middle = (start + end) / 2;
    const from = Math.min(Math.max(middle - length / 2, this.whole.start), this.whole.end - length);
    this.view = { start: from, end: from + length };
    // What was pointed at is no longer under the pointer.
    this.cursor = null;
    this.tip.hidden = true;
    this.later();
  }

  // Zoom by a factor around a time that stays where it is.
  zoom(factor, around = (this.view.start + this.view.end) / 2) {
    const { start, end } = this.view;
    const length = Math.min(Math.max((end - start) * factor, CLOSEST), this.whole.end - this.whole.start);
    const from = around - (around - start) * length / (end - start);
    this.show(from, from + length);
  }

  move(share) {
    const by = share * (this.view.end - this.view.start);
    this.show(this.view.start + by, this.view.end + by);
  }

  time(x) {
    return this.view.start + (x - this.left) / (this.right - this.left) * (this.view.end - this.view.start);
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
  }

  draw() {
    const width = this.canvas.clientWidth, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const pen = this.pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.left = width > 700 ? 178 : 102;
    this.right = width - 20;
    const perSecond = (this.right - this.left) / (this.view.end - this.view.start);
    const fine = (time) => Math.round((this.left + (time - this.view.start) * perSecond) * ratio) / ratio;
    this.x = fine;
    // Rows are gathered by pixels of the device, one more on either side so that lines go on.
    const from = Math.max(rowAt(this.data.t, this.view.start) - 1, 0);
    const to = Math.min(rowAt(this.data.t, this.view.end) + 1, this.data.t.length);
    const device = (time) => (this.left + (time - this.view.start) * perSecond) * ratio;
    this.runs = (times, values, hole) => {
      const runs = columns(times, values, from, to, device, hole);
      for (const run of runs) for (const column of run) column.x /= ratio;
      return runs;
    };
    pen.fillStyle = this.colours.paper;
    pen.fillRect(0, 0, width, this.height);
    pen.font = "12px system-ui, sans-serif";
    this.axis();
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, this.right - this.left, this.height);
    pen.clip();
    this.shade(this.data.blind, this.colours.blind);
    for (const lane of this.lanes) lane.draw(this, this.view, lane);
    this.shade(this.data.missing, this.colours.gap);
    if (this.cursor) {
      pen.fillStyle = this.colours.ink;
      pen.fillRect(this.x(this.cursor.time), EDGE, 1, this.height - 2 * EDGE);
    }
    pen.restore();
    this.names();
  }

  shade(spans, colour) {
    this.pen.fillStyle = colour;
    for (const [start, end] of spans) {
      if (end < this.view.start || start > this.view.end) continue;
      const left = this.x(start);
      this.pen.fillRect(left, EDGE, Math.max(this.x(end) - left, 1.5), this.height - 2 * EDGE);
    }
  }

  axis() {
    const { pen, colours } = this, length = this.view.end - this.view.start;
    const wanted = length / Math.max((this.right - this.left) / 95, 1);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].map((k) => k * power).find((value) => value >= wanted * 0.999);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    pen.textAlign = "center";
    for (let k = Math.ceil(this.view.start / step - 1e-9); k * step <= this.view.end + 1e-9; k++) {
      const x = this.x(k * step), text = (k * step).toFixed(digits) + " s";
      pen.fillStyle = colours.grid;
      pen.fillRect(x, EDGE, 1, this.height - 2 * EDGE);
      pen.fillStyle = colours.faint;
      for (const y of [14, this.height - 7]) pen.fillText(text, x, y);
    }
  }

  names() {
    const { pen, colours } = this, slim = this.left < 150;
    for (const lane of this.lanes) {
      const middle = lane.top + lane.height / 2 + 4, right = this.left - 8;
      const lit = this.cursor && this.cursor.lane === lane;
      pen.fillStyle = colours.grid;
      pen.fillRect(this.left, lane.top + lane.height - 1, this.right - this.left, 1);
      pen.textAlign = "right";
      pen.fillStyle = lit ? colours.seen : colours.ink;
      pen.font = "600 12px system-ui, sans-serif";
      pen.fillText(lane.label, right, middle);
      if (slim || !lane.name) continue;
      const used = pen.measureText(lane.label).width;
      pen.fillStyle = colours.faint;
      pen.font = "12px system-ui, sans-serif";
      pen.fillText(lane.name, right - used - 6, middle);
    }
  }

  // What there is at a place of the canvas, shown beside it; without a place nothing.
  point(x, y) {
    const inside = x !== undefined && x >= this.left && x <= this.right;
    this.cursor = inside ? { time: this.time(x), lane: this.lanes.find((l) => y >= l.top && y < l.top + l.height) } : null;
    this.tip.hidden = !inside;
    if (inside) {
      tell(this.tip, this);
      const room = this.box.clientWidth - x > 310;
      this.tip.style.left = room ? `${x + 14}px` : "";
      this.tip.style.right = room ? "" : `${this.box.clientWidth - x + 14}px`;
      this.tip.style.top = `${this.canvas.offsetTop + Math.min(y, this.height - this.tip.offsetHeight)}px`;
    }
    this.later();
  }
}

function tell(tip, { data, cursor, lanes }) {
  const line = (name, value, here) => {
    const row = tip.appendChild(document.createElement("div"));
    row.className = here ? "here" : "";
    row.append(Object.assign(document.createElement("span"), { textContent: name }));
    row.append(Object.assign(document.createElement("span"), { textContent: value }));
  };
  tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: `${cursor.time.toFixed(3)} s` }));
  const row = closestRow(data.t, cursor.time);
  const near = row >= 0 && Math.abs(data.t[row] - cursor.time) <= data.hole;
  if (!near) line("no activation here", "");
  lanes.forEach((lane, index) => {
    const here = lane === cursor.lane, unit = data.units[index];
    const active = unit && near && unit.p[row] >= 255 * unit.threshold;
    if (near && lane.tell && (active || here || !unit)) line(unit ? `${lane.label} ${lane.name}` : lane.label, lane.tell(row), here);
  });
  for (const [kind, events] of [["true", data.true], ["found", data.found]]) {
    for (const [start, end, apex, verdict, units, confidence] of events) {
      if (cursor.time < start || cursor.time > end) continue;
      const sure = confidence === null ? "" : `, confidence ${confidence.toFixed(2)}`;
      line(`${kind}: ${units}`, `${verdict === "unjudged" ? "" : verdict}${sure}`);
      line(`${start.toFixed(3)} – ${end.toFixed(3)} s`, `apex ${apex.toFixed(3)}`);
    }
  }
}
