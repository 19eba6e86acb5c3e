"use strict";
// The table of evaluations: only the rows of one page are ever in the document.
(() => {
  const { columns, rows, best, state, descending } = JSON.parse(
    document.getElementById("evaluations").textContent
  );
  const PAGE_SIZE = 50;
  const SCORE = 1;
  const head = document.querySelector("#table thead tr");
  const body = document.querySelector("#table tbody");
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const pageButtons = document.querySelectorAll("[data-page]");
  const sort = { column: 0, ascending: true };
  let order = rows.map((_, index) => index);
  let page = 0;

  const numberOf = (text) => (text.trim() === "" ? NaN : Number(text));
  const isNumeric = columns.map((_, c) =>
    rows.every((row) => row[c] === "" || !Number.isNaN(numberOf(row[c])))
  );
  const lower = columns.map((name) => name.toLowerCase());
  let haystacks = null;

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

  function update() {
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
    show(0);
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

  function show(wanted) {
    const last = Math.max(Math.ceil(order.length / PAGE_SIZE) - 1, 0);
    page = Math.min(Math.max(wanted, 0), last);
    const start = page * PAGE_SIZE;
    const visible = order.slice(start, start + PAGE_SIZE);
    body.replaceChildren(
      ...visible.map((index) => {
        const tr = document.createElement("tr");
        tr.classList.toggle("best", index === best);
        tr.append(...columns.map((_, column) => cell(rows[index], column)));
        return tr;
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
    head.querySelectorAll("th").forEach((th, c) => {
      th.setAttribute("aria-sort", c !== column ? "none" : sort.ascending ? "ascending" : "descending");
    });
    update();
  }

  columns.forEach((name, column) => {
    const th = document.createElement("th");
    const button = document.createElement("button");
    th.scope = "col";
    th.classList.toggle("number", isNumeric[column]);
    th.setAttribute("aria-sort", column === 0 ? "ascending" : "none");
    button.type = "button";
    // Isolated, so that text that runs from right to left keeps to itself.
    button.append(document.createElement("bdi"));
    button.firstChild.textContent = name;
    button.title = `Sort by ${name}`;
    button.onclick = () => sortBy(column);
    th.append(button);
    head.append(th);
  });
  filter.oninput = update;
  document.querySelectorAll(".controls").forEach((element) => { element.hidden = false; });
  update();
})();
