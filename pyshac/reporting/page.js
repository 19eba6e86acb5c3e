"use strict";
// The table of evaluations: only the rows of one page are ever in the document.
const evaluations = (() => {
  let columns = [], rows = [], best = null, state = 0, descending = true, curves = {};
  const PAGE_SIZE = 50;
  const SCORE = 1;
  const SVG = "http://www.w3.org/2000/svg";
  const head = document.querySelector("#table thead tr");
  const body = document.querySelector("#table tbody");
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const pageButtons = document.querySelectorAll("[data-page]");
  const sort = { column: SCORE, ascending: null };
  // What is shown of samples that were opened, by their number.
  const opened = new Map();
  let order = [], isNumeric = [], lower = [], haystacks = null;
  let page = 0;

  const numberOf = (text) => (text.trim() === "" ? NaN : Number(text));
  // Long fractions are cut for reading; the whole number is the cell's title.
  function readable(text) {
    const value = numberOf(text);
    const isLong = text.length > 9 && /[.e]/.test(text);
    if (!isLong || !Number.isFinite(value)) return text;
    const short = Number(value.toPrecision(6));
    return short !== 0 && Math.abs(short) < 1e-4 ? short.toExponential() : String(short);
  }

  // A sample without a score shows why: it failed or was pruned.
  const lacksScore = (row, column) => column === SCORE && row[column] === "";

  // Numbers by size, before text in its order; missing scores last, whatever the direction.
  function compare(a, b, sign) {
    if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1;
    const aIsText = Number.isNaN(a.value);
    const bIsText = Number.isNaN(b.value);
    if (aIsText !== bIsText) return aIsText ? 1 : -1;
    if (!aIsText) return sign * (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
    return sign * (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
  }

  function matches(index, words) {
    const row = rows[index];
    return words.every((word) => {
      const column = lower.indexOf(word.slice(0, Math.max(word.indexOf("="), 0)));
      if (column < 0) return haystacks[index].includes(word);
      const wanted = word.slice(word.indexOf("=") + 1);
      const cells = [row[column], lacksScore(row, column) ? row[state] : row[column]];
      return cells.some((text) => text.toLowerCase() === wanted)
        || (wanted !== "" && numberOf(row[column]) === Number(wanted));
    });
  }

  function arrange() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && haystacks === null) {
      haystacks = rows.map((row) =>
        row.concat(row.map(readable)).join("\n").toLowerCase()
      );
    }
    order = rows.map((_, index) => index).filter((index) => matches(index, words));
    const keys = rows.map((row) => {
      const text = row[sort.column];
      return { text, value: numberOf(text) };
    });
    const sign = sort.ascending ? 1 : -1;
    order.sort((a, b) => compare(keys[a], keys[b], sign) || a - b);
  }

  function element(tag, content = "", name = "") {
    const node = document.createElement(tag);
    node.textContent = content;
    if (name) node.className = name;
    return node;
  }

  function cell(row, column) {
    const td = document.createElement("td");
    const isMissing = lacksScore(row, column);
    td.textContent = isMissing ? row[state] : readable(row[column]);
    if (row[column].length > 9) td.title = row[column];
    td.classList.toggle("number", isNumeric[column]);
    td.classList.toggle("missing", isMissing);
    return td;
  }

  function opener(row) {
    const td = element("td", "", "number");
    const button = element("button", row[0], "opener");
    button.type = "button";
    button.title = `All that is known of sample ${row[0]}`;
    button.setAttribute("aria-expanded", String(opened.has(row[0])));
    button.onclick = () => {
      if (!opened.delete(row[0])) opened.set(row[0], null);
      show(page);
      body.querySelector(`[data-sample="${row[0]}"] button`).focus();
    };
    td.append(button);
    return td;
  }

  // The whole numbers and texts of a sample, and its curve. It stays as it is while the sample does.
  function detailsOf(row) {
    const known = opened.get(row[0]);
    const key = JSON.stringify([columns, row, curves[row[0]]]);
    if (known && known.key === key) return known.node;
    const tr = element("tr", "", "details");
    const td = document.createElement("td");
    const inner = element("div", "", "inner");
    const list = document.createElement("dl");
    columns.forEach((name, column) => {
      if (row[column] !== "") list.append(element("dt", name), element("dd", row[column]));
    });
    td.colSpan = columns.length;
    inner.append(list);
    if (curves[row[0]]) inner.append(...curveOf(curves[row[0]]));
    td.append(inner);
    tr.append(td);
    opened.set(row[0], { key, node: tr });
    return tr;
  }

  function curveOf({ count, steps, scores }) {
    const points = steps.map((step, index) => [step, scores[index]]).filter((p) => p[1] !== null);
    const some = steps.length < count ? `${steps.length} of ${count}` : `${count}`;
    const list = document.createElement("details");
    list.append(element("summary", `Curve: ${some} point${count === 1 ? "" : "s"}`));
    list.append(element("p", steps.map((step, i) => `${step}: ${scores[i] ?? "nan"}`).join("; ")));
    if (points.length < 2) return [list];
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const [first, last] = [xs[0], xs[xs.length - 1]];
    const svg = document.createElementNS(SVG, "svg");
    const line = document.createElementNS(SVG, "polyline");
    // Halves, because the difference of huge scores of both signs may overflow.
    const height = (y) => (high > low ? (high / 2 - y / 2) / (high / 2 - low / 2) : 0.5);
    line.setAttribute("points", points.map(
      ([x, y]) => `${4 + (312 * (x - first)) / (last - first)},${4 + 92 * height(y)}`
    ).join(" "));
    svg.setAttribute("viewBox", "0 0 320 100");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "The scores that it reported, over the steps.");
    svg.append(line);
    const range = `Steps ${first} to ${last}, scores ${readable(String(low))} to ${readable(String(high))}`;
    return [svg, element("p", range, "quiet"), list];
  }

  function show(wanted) {
    const last = Math.max(Math.ceil(order.length / PAGE_SIZE) - 1, 0);
    page = Math.min(Math.max(wanted, 0), last);
    const start = page * PAGE_SIZE;
    const visible = order.slice(start, start + PAGE_SIZE);
    body.replaceChildren(
      ...visible.flatMap((index) => {
        const row = rows[index];
        const tr = document.createElement("tr");
        tr.dataset.sample = row[0];
        tr.classList.toggle("best", index === best);
        tr.append(...row.map((_, column) => (column ? cell(row, column) : opener(row))));
        return opened.has(row[0]) ? [tr, detailsOf(row)] : [tr];
      })
    );
    const range = visible.length ? `${start + 1} to ${start + visible.length} of ` : "";
    const all = order.length < rows.length ? `, of ${rows.length} in all` : "";
    shown.textContent = `Rows ${range}${order.length}${all}`;
    const targets = { first: 0, previous: page - 1, next: page + 1, last };
    pageButtons.forEach((button) => {
      const target = targets[button.dataset.page];
      button.disabled = target === page || target < 0 || target > last;
      button.onclick = () => show(target);
    });
  }

  function sortBy(column) {
    // The score shows the best first; all others begin with the lowest.
    const first = column === SCORE ? !descending : true;
    sort.ascending = sort.column === column ? !sort.ascending : first;
    sort.column = column;
    announce();
    arrange();
    show(0);
  }

  function announce() {
    head.querySelectorAll("th").forEach((th, c) => {
      const direction = sort.ascending ? "ascending" : "descending";
      th.setAttribute("aria-sort", c === sort.column ? direction : "none");
    });
  }

  function heading(name, column) {
    const th = document.createElement("th");
    const button = document.createElement("button");
    th.scope = "col";
    th.classList.toggle("number", isNumeric[column]);
    button.type = "button";
    // Isolated, so that text that runs from right to left keeps to itself.
    button.append(element("bdi", name));
    button.title = `Sort by ${name}`;
    button.onclick = () => sortBy(column);
    th.append(button);
    return th;
  }

  // Shows other evaluations, in the order, on the page and with the details that are chosen now.
  function replace(content) {
    const sorted = columns[sort.column];
    const before = JSON.stringify([columns, isNumeric]);
    ({ columns, rows, best, state, descending, curves } = content);
    isNumeric = columns.map((_, c) =>
      rows.every((row) => row[c] === "" || !Number.isNaN(numberOf(row[c])))
    );
    lower = columns.map((name) => name.toLowerCase());
    haystacks = null;
    if (sort.ascending === null) sort.ascending = !descending;
    if (sorted !== undefined && columns[sort.column] !== sorted) {
      sort.column = columns.includes(sorted) ? columns.indexOf(sorted) : SCORE;
    }
    if (JSON.stringify([columns, isNumeric]) !== before) {
      head.replaceChildren(...columns.map(heading));
      announce();
    }
    arrange();
    show(page);
  }

  filter.oninput = () => {
    arrange();
    show(0);
  };
  document.querySelectorAll(".controls").forEach((node) => { node.hidden = false; });
  return { replace };
})();
evaluations.replace(JSON.parse(document.getElementById("evaluations").textContent));
