"use strict";
// The lanes of a recording, from top to bottom, and how each is drawn.

const EDGE = 22, UNIT = 28, EVENT = 20, STRIP = 34, BREAK = 10;

// The recording as it sits in the page, its arrays unpacked.
function opened(packed) {
  const t = unpack(packed.t, Float64Array), rows = t.length;
  const p = unpack(packed.p, Uint8Array), head = unpack(packed.head, Float32Array);
  const part = (array, index) => array.subarray(index * rows, (index + 1) * rows);
  return {
    ...packed, t, hole: 2.5 * packed.step, attention: unpack(packed.attention, Float32Array),
    units: packed.units.map((unit, index) => ({ ...unit, p: part(p, index) })),
    x: part(head, 0), y: part(head, 1), roll: part(head, 2), size: part(head, 3),
  };
}

function extent(...arrays) {
  let low = 0, high = 0;
  for (const values of arrays) {
    for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  }
  return [low, high];
}

function lanesOf(data) {
  const lanes = [];
  let top = EDGE;
  const add = (height, lane) => { lanes.push({ top, height, ...lane }); top += height; };
  data.units.forEach((unit, index) => add(UNIT, {
    label: unit.au, name: unit.name, draw: (it, view, lane) => drawUnit(it, view, lane, data, unit, index),
    tell: (row) => (unit.p[row] / 255).toFixed(2),
  }));
  top += BREAK;
  if (data.known) {
    add(EVENT, { label: "true events", name: "", draw: (it, view, lane) => drawEvents(it, view, lane, data.true, it.colours.true, it.colours.ink) });
  }
  add(EVENT, { label: "found events", name: "", draw: (it, view, lane) => drawEvents(it, view, lane, data.found, it.colours.seen, it.colours.paper) });
  top += BREAK;
  const strip = (label, unit, digits, series, rest) => {
    const [low, high] = extent(...series);
    add(STRIP, {
      label, name: `${low.toFixed(digits)} to ${high.toFixed(digits)} ${unit}`.trim(),
      draw: (it, view, lane) => drawStrip(it, view, lane, data, series, [low, Math.max(high, low + 1e-6)], rest),
      tell: (row) => `${series.map((values) => values[row].toFixed(digits)).join(", ")} ${unit}`.trim(),
    });
  };
  strip("attention", "", 2, [data.attention], 1);
  strip("head x, y", "px", 1, [data.x, data.y], 0);
  strip("head roll", "°", 1, [data.roll], 0);
  strip("head size", "%", 1, [data.size], 0);
  return { lanes, height: top + EDGE };
}

function drawUnit(it, view, lane, data, unit, index) {
  const { pen, colours } = it, bottom = lane.top + lane.height - 2, high = lane.height - 5;
  for (const [start, end, kind, units] of data.labels) {
    if (end < view.start || start > view.end || !units.includes(index)) continue;
    pen.fillStyle = kind === "blink" ? colours.blink : kind === "speech" ? colours.speech : colours.truth;
    const left = it.x(start);
    pen.fillRect(left, lane.top + 1, Math.max(it.x(end) - left, 1), lane.height - 3);
  }
  const y = (value) => bottom - high * value / 255, level = y(255 * unit.threshold);
  trace(pen, it.runs(data.t, unit.p, data.hole), y, colours.seen, colours.fill, bottom, 1.1);
  pen.strokeStyle = colours.faint;
  pen.lineWidth = 0.7;
  pen.setLineDash([2, 4]);
  pen.beginPath();
  pen.moveTo(it.left, level);
  pen.lineTo(it.right, level);
  pen.stroke();
  pen.setLineDash([]);
}

// Filled: met by at least half; hollow: met by less; red, and over the others: not met at all.
function drawEvents(it, view, lane, events, colour, mark) {
  const { pen, colours } = it, top = lane.top + 3, height = lane.height - 6;
  const unmet = ([, , , verdict]) => verdict === "wrong" || verdict === "missed";
  for (const event of [...events.filter((one) => !unmet(one)), ...events.filter(unmet)]) {
    const [start, end, apex, verdict] = event;
    if (end < view.start || start > view.end) continue;
    const left = it.x(start), width = Math.max(it.x(end) - left, unmet(event) ? 3 : 1.5);
    const solid = verdict === "right" || verdict === "unjudged", edge = unmet(event) ? colours.bad : colour;
    pen.fillStyle = solid || width < 4 ? edge : colours.paper;
    pen.fillRect(left, top, width, height);
    if (width < 4) continue;
    pen.strokeStyle = edge;
    pen.lineWidth = 1.5;
    pen.strokeRect(left + 0.75, top + 0.75, width - 1.5, height - 1.5);
    if (width < 16) continue;
    pen.fillStyle = solid ? mark : edge;
    pen.fillRect(it.x(apex) - 0.75, top, 1.5, height);
  }
}

function drawStrip(it, view, lane, data, series, [low, high], rest) {
  const { pen, colours } = it, bottom = lane.top + lane.height - 4;
  const y = (value) => bottom - (lane.height - 8) * (value - low) / (high - low);
  if (rest >= low && rest <= high) {
    pen.strokeStyle = colours.faint;
    pen.lineWidth = 0.6;
    pen.setLineDash([2, 4]);
    pen.beginPath();
    pen.moveTo(it.left, y(rest));
    pen.lineTo(it.right, y(rest));
    pen.stroke();
    pen.setLineDash([]);
  }
  series.forEach((values, index) => {
    trace(pen, it.runs(data.t, values, data.hole), y, index ? colours.mark : colours.seen, "", 0, 1.1);
  });
}
