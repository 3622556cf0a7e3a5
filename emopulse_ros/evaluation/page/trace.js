"use strict";
// Series of values, and how they are drawn: as many points as there are pixels, however many rows.

function unpack(text, Type) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Type(bytes.buffer);
}

// The first row at or after a time, by bisection.
function rowAt(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  return low;
}

// The row closest to a time; -1 if there is none.
function closestRow(times, time) {
  if (!times.length) return -1;
  const after = Math.min(rowAt(times, time), times.length - 1);
  return after > 0 && time - times[after - 1] < times[after] - time ? after - 1 : after;
}

// For each column of pixels that has rows: where they begin, go at least and at most, and end.
// Runs are separate where rows are further apart than `hole` seconds.
function columns(times, values, from, to, x, hole) {
  const runs = [];
  let run = null, last = NaN, column = null;
  for (let i = from; i < to; i++) {
    const at = Math.round(x(times[i])), value = values[i];
    if (!(times[i] - last <= hole)) { run = []; runs.push(run); column = null; }
    last = times[i];
    if (column && column.x === at) {
      if (value < column.low) column.low = value;
      if (value > column.high) column.high = value;
      column.last = value;
    } else {
      column = { x: at, first: value, low: value, high: value, last: value };
      run.push(column);
    }
  }
  return runs;
}

// A line, and with `floor` the area below it, over the rows of a window.
function trace(pen, runs, y, colour, fill, floor, width) {
  for (const run of runs) {
    if (fill) {
      pen.beginPath();
      pen.moveTo(run[0].x, floor);
      for (const column of run) pen.lineTo(column.x, y(column.high));
      pen.lineTo(run[run.length - 1].x, floor);
      pen.fillStyle = fill;
      pen.fill();
    }
    pen.beginPath();
    for (const { x, first, low, high, last } of run) {
      pen.lineTo(x, y(first));
      if (low !== high) { pen.lineTo(x, y(low)); pen.lineTo(x, y(high)); pen.lineTo(x, y(last)); }
    }
    if (run.length === 1) pen.lineTo(run[0].x + 1, y(run[0].last));
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
  }
}
