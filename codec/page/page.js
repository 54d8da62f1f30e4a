'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const KINDS = data.kinds;
const SVG = 'http://www.w3.org/2000/svg';
const byId = id => document.getElementById(id);

// All text of the stream goes through textContent: names are only text.
function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}
function draw(parent, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}
const hex = n => '0x' + n.toString(16);
const count = (n, what) => n + ' ' + what + (n === 1 ? '' : 's');
function bytes(n) {
  for (const unit of ['bytes', 'KiB', 'MiB', 'GiB']) {
    if (n < 1024 || unit === 'GiB') {
      return (unit === 'bytes' ? n : n.toFixed(1)) + ' ' + unit;
    }
    n /= 1024;
  }
}

// A row of a file's map: see html_page.cc.
const rows = [];
data.files.forEach((file, f) => {
  for (const [offset, size, kind, owner, what, many, round, stopped, cut] of
       file.rows) {
    rows.push({i: rows.length, f, offset, size, kind: KINDS[kind],
               owner: data.owners[owner], what, many, round,
               stopped: !!stopped, cut: !!cut});
  }
});
const rowsOf = f => rows.filter(row => row.f === f);
const describe = row =>
    hex(row.offset) + ', ' + row.size + ' bytes: ' + row.owner + ' ' + row.what;

// What is drawn or listed of a row, to be dimmed, chosen and hidden together.
const shown = rows.map(() => []);
const listed = [];
let chosen = null;
function choose(i, scroll) {
  if (chosen !== null) {
    for (const element of shown[chosen]) element.classList.remove('chosen');
    if (listed[chosen]) listed[chosen].classList.remove('chosen');
  }
  chosen = i;
  for (const element of shown[i]) element.classList.add('chosen');
  const line = listed[i];
  line.hidden = false;
  line.classList.add('chosen');
  if (scroll) line.scrollIntoView({block: 'center'});
}
function rowAt(f, offset) {
  const there = rowsOf(f);
  return there.find(row => offset >= row.offset &&
                           offset < row.offset + row.size) ||
         there[there.length - 1];
}

const tip = byId('tip');
function hover(svg) {
  svg.addEventListener('pointermove', event => {
    const i = event.target.getAttribute('data-i');
    tip.hidden = i === null;
    if (i === null) return;
    tip.textContent = describe(rows[i]);
    const x = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18;
    const fits = below + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top =
        (fits ? below : event.clientY - tip.offsetHeight - 10) + 'px';
  });
  svg.addEventListener('pointerleave', () => { tip.hidden = true; });
  svg.addEventListener('click', event => {
    const i = event.target.getAttribute('data-i');
    if (i !== null) choose(+i, true);
  });
}

function head() {
  byId('name').textContent = data.file;
  document.title = data.file + ' - migstream';
  const verdict = byId('verdict');
  const errors = data.findings.filter(f => f.severity === 'error').length;
  const warnings = data.findings.filter(f => f.severity === 'warning').length;
  verdict.className = errors ? 'error' : warnings ? 'warning' : 'fine';
  verdict.textContent = (data.complete ? 'complete' : 'not complete') + ', ' +
      (errors || warnings
           ? [errors && count(errors, 'error'),
              warnings && count(warnings, 'warning')].filter(x => x).join(', ')
           : 'nothing wrong found');
  const facts = byId('facts');
  for (const [key, value] of data.facts) {
    facts.append(make('dt', key), make('dd', value));
  }
}

// So many of a kind are shown; the others on demand.
const MOST_OF_A_KIND = 3;

function findings() {
  const list = byId('findings');
  byId('findings-part').hidden = !data.findings.length;
  const kinds = new Map();
  for (const finding of data.findings) {
    const item = make('li', undefined, finding.severity);
    const line = make('div', finding.severity + ' ');
    const f = data.files.findIndex(file => file.name === finding.file);
    const place = (f > 0 ? finding.file + ':' : '') + hex(finding.offset) +
        ' ' + finding.section;
    if (f >= 0 && rowsOf(f).length) {
      const at = make('button', place, 'at');
      at.addEventListener(
          'click', () => choose(rowAt(f, finding.offset).i, true));
      line.append(at);
    } else {
      line.append(place);
    }
    line.append(' ', make('code', '[' + finding.id + ']'));
    item.append(line, make('p', finding.message));
    list.append(item);
    if (!kinds.has(finding.id)) kinds.set(finding.id, []);
    kinds.get(finding.id).push(item);
  }
  for (const [id, items] of kinds) {
    const folded = items.slice(MOST_OF_A_KIND);
    if (folded.length < 2) continue;
    const more = make('li', undefined, items[0].className);
    const button = make('button', folded.length + ' more', 'at');
    button.addEventListener('click', () => {
      for (const item of folded) item.hidden = false;
      more.remove();
    });
    more.append(button, ' ', make('code', '[' + id + ']'));
    for (const item of folded) item.hidden = true;
    folded[0].before(more);
  }
}

// Lanes over the order of the stream: each row as wide as the logarithm of its
// bytes, so that the small ones are seen.
function timeline() {
  const main = rowsOf(0);
  const svg = byId('timeline');
  const named = [];
  for (const row of main) {
    if ((row.kind === 'vfio' || row.kind === 'ram') &&
        !named.includes(row.owner) && named.length < 9) {
      named.push(row.owner);
    }
  }
  const laneOf = row => {
    const lane = named.indexOf(row.owner);
    return lane >= 0 ? lane
        : named.length + (row.kind === 'framing' || row.kind === 'container' ||
                          row.kind === 'trailing' ? 1 : 0);
  };
  const lanes = named.concat(['others', 'stream']);
  // In pixels, so that a flag has its shape on a narrow screen as well.
  const WIDTH = svg.clientWidth || 1000, LANE = 24, TOP = 22;
  const height = TOP + lanes.length * LANE + 8;
  svg.setAttribute('viewBox', '0 0 ' + WIDTH + ' ' + height);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.style.height = height + 'px';
  const weight = row => Math.log2(2 + row.size);
  const all = main.reduce((sum, row) => sum + weight(row), 0) || 1;
  let x = 0, round = 0, from = 0, stop = null;
  const bands = [];
  const places = main.map(row => {
    const width = weight(row) / all * WIDTH;
    if (row.round !== round) {
      bands.push([from, x, round]);
      from = x;
      round = row.round;
    }
    if (row.stopped && stop === null) stop = x;
    const place = {row, x, width};
    x += width;
    return place;
  });
  bands.push([from, x, round]);
  const labels = byId('timeline-labels');
  for (const [begin, end, number] of bands) {
    if (number === 0 || end - begin < 1) continue;
    if (number % 2) {
      draw(svg, 'rect', {class: 'band', x: begin, y: 0, height,
                         width: (stop !== null && begin < stop
                                     ? Math.min(end, stop) : end) - begin});
    }
  }
  lanes.forEach((lane, i) => {
    draw(svg, 'line', {class: 'lane', x1: 0, x2: WIDTH,
                       y1: TOP + i * LANE, y2: TOP + i * LANE});
    const label = make('li', lane);
    label.title = lane;
    labels.append(label);
  });
  for (const {row, x, width} of places) {
    // What was not read may be anybody's.
    const all = row.kind === 'unread';
    shown[row.i].push(draw(svg, 'rect', {
      class: row.kind, 'data-i': row.i, x, width: Math.max(width, 1),
      y: TOP + (all ? 0 : laneOf(row) * LANE) + 4,
      height: (all ? lanes.length : 1) * LANE - 8}));
  }
  if (stop !== null) {
    draw(svg, 'line', {class: 'stop', x1: stop, x2: stop, y1: 0, y2: height});
  }
  for (const finding of data.findings) {
    if (finding.severity === 'note' || finding.file !== data.files[0].name) {
      continue;
    }
    const row = rowAt(0, finding.offset);
    const place = row && places.find(p => p.row === row);
    if (!place) continue;
    const at = Math.min(WIDTH - 5, Math.max(5, place.x + place.width *
        Math.min(1, (finding.offset - row.offset) / row.size)));
    draw(svg, 'path', {class: 'flag ' + finding.severity, 'data-i': row.i,
                       d: 'M' + (at - 5) + ' 1h10l-5 11z'});
  }
  const rounds = Math.max(0, ...main.map(row => row.round));
  const unread = main.some(row => row.kind === 'unread');
  byId('rounds').textContent =
      (rounds > 1 ? rounds + ' rounds of pre-copy, shaded in turn'
                  : rounds ? 'pre-copy is shaded' : 'no pre-copy') +
      (stop !== null ? '; the guest is stopped from ' +
           hex(main.find(row => row.stopped).offset) + ' on (dashed line)'
                     : unread ? '; no switchover in what could be read'
                              : '; the guest was not stopped') +
      '. Small things are drawn larger than they are.';
  hover(svg);
}

function maps() {
  const parent = byId('maps');
  data.files.forEach((file, f) => {
    const title = make('h3', file.name + ' ');
    title.append(make('span', bytes(file.bytes)));
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 1000 34');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', 'bytes of ' + file.name);
    svg.style.height = '34px';
    for (const row of rowsOf(f)) {
      shown[row.i].push(draw(svg, 'rect', {
        class: row.kind, 'data-i': row.i, y: 0, height: 34,
        x: row.offset / file.bytes * 1000,
        width: Math.max(row.size / file.bytes * 1000, .3)}));
    }
    hover(svg);
    const legend = make('ul', undefined, 'legend');
    for (const [owner, kind, size] of file.totals.slice(0, 8)) {
      const item = make('li');
      const key = document.createElementNS(SVG, 'svg');
      key.setAttribute('viewBox', '0 0 8 8');
      draw(key, 'rect', {class: KINDS[kind], width: 8, height: 8});
      item.append(key, data.owners[owner] + ' ' + bytes(size) + ', ' +
          (100 * size / file.bytes).toFixed(1) + ' %');
      legend.append(item);
    }
    if (file.totals.length > 8) {
      const rest = file.totals.slice(8).reduce((sum, t) => sum + t[2], 0);
      legend.append(make('li', (file.totals.length - 8) + ' others ' +
          bytes(rest)));
    }
    parent.append(title, svg, legend);
  });
}

function table(parent, headings, lines) {
  const element = make('table');
  const heads = element.createTHead().insertRow();
  for (const heading of headings) {
    heads.append(make('th', heading.replace('#', ''),
                      heading.startsWith('#') ? 'n' : ''));
  }
  const body = element.createTBody();
  for (const cells of lines) {
    const line = body.insertRow();
    cells.forEach((cell, i) => {
      line.append(make('td', cell, headings[i].startsWith('#') ? 'n' : ''));
    });
  }
  parent.append(element);
}

function devices() {
  byId('devices-part').hidden = !data.devices.length;
  if (!data.devices.length) return;
  table(byId('devices'),
        ['device', 'PCI ID', 'driver', '#pre-copy', '#stop-copy', '#records',
         '#config space', 'triggers and marks'],
        data.devices);
}

function list() {
  const element = make('table');
  const heads = element.createTHead().insertRow();
  for (const [text, kind] of [['offset', 'n'], ['bytes', 'n'], ['owner', ''],
                              ['what', '']]) {
    heads.append(make('th', text, kind));
  }
  const body = element.createTBody();
  let file = -1;
  for (const row of rows) {
    if (data.files.length > 1 && row.f !== file) {
      file = row.f;
      const line = body.insertRow();
      const name = make('th', data.files[file].name);
      name.colSpan = 4;
      line.append(name);
    }
    const line = body.insertRow();
    line.setAttribute('data-i', row.i);
    line.tabIndex = 0;
    line.append(make('td', hex(row.offset), 'n'), make('td', row.size, 'n'),
                make('td', row.owner), make('td', row.what, 'w'));
    listed[row.i] = line;
  }
  const pick = event => {
    const line = event.target.closest('tr[data-i]');
    if (line) choose(+line.getAttribute('data-i'), false);
  };
  body.addEventListener('click', pick);
  body.addEventListener('keydown', event => {
    if (event.key === 'Enter') pick(event);
  });
  byId('rows').append(element);
  const folded = data.files.reduce((sum, file) => sum + file.folded, 0);
  byId('folded').textContent = folded
      ? count(folded, 'further row') +
            ' folded into these; `inspect --map --format=csv` lists all'
      : '';
}

function search() {
  const input = byId('search');
  const find = () => {
    const words = input.value.toLowerCase().trim();
    let found = 0;
    const at = /^0x[0-9a-f]+$/.test(words) ? parseInt(words, 16) : -1;
    for (const row of rows) {
      const hit = !words || (row.owner + ' ' + row.what).toLowerCase()
              .includes(words) ||
          (at >= row.offset && at < row.offset + row.size);
      found += hit;
      listed[row.i].hidden = !hit;
      for (const element of shown[row.i]) {
        element.classList.toggle('dim', !hit);
      }
    }
    byId('found').textContent = words ? count(found, 'row') : '';
  };
  input.addEventListener('input', find);
}

head();
findings();
if (data.files.length && data.files[0].rows.length) timeline();
maps();
devices();
list();
search();
document.body.setAttribute('data-ready', rows.length);
