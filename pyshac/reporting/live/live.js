// The live page: asks for what has changed, and replaces only that.
(() => {
  const status = document.getElementById("status");
  const changed = document.getElementById("changed");
  const interval = 1000 * Number(status.dataset.interval);
  const base = location.pathname;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const ENDED = "The connection is lost: the command that served this page has ended. "
    + "It shows what was last read, and goes on if the command is started at the same address.";
  const tags = new Map();
  const texts = new Map();
  const visible = new Set();
  // Seconds by which the clock of the server is ahead of this one.
  let ahead = 0;
  let known = null;
  let lookedAt = 0;

  async function ask(what) {
    const headers = tags.has(what) ? { "If-None-Match": tags.get(what) } : {};
    const answer = await fetch(base + what, { headers, cache: "no-store", redirect: "error" });
    if (answer.status === 304) return null;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    ahead = Date.parse(answer.headers.get("Date")) / 1000 + 0.5 - Date.now() / 1000;
    return answer;
  }

  const keep = (what, answer) => tags.set(what, answer.headers.get("ETag"));

  function ago(seconds) {
    const rest = Math.max(Math.round(Date.now() / 1000 + ahead - seconds), 0);
    if (rest < 120) return `${rest} s ago`;
    if (rest < 7200) return `${Math.round(rest / 60)} min ago`;
    return rest < 172800 ? `${Math.round(rest / 3600)} h ago` : `${Math.round(rest / 86400)} days ago`;
  }

  function tell() {
    const last = known && known.changed;
    setText(changed, `${(known && known.best) || ""}${last ? ` Last change ${ago(last)}.` : ""}`);
    document.querySelectorAll("[data-ago]").forEach((node) => {
      node.textContent = ago(Number(node.dataset.ago));
    });
  }

  // The first block that begins in view, or else the last one above it.
  function lookedOn() {
    const blocks = [...document.querySelectorAll("h2, figure")];
    const tops = blocks.map((node) => node.getBoundingClientRect().top);
    const first = tops.findIndex((top) => top >= 0);
    return blocks[first >= 0 && tops[first] < innerHeight ? first : tops.findLastIndex((top) => top < 0)];
  }

  // What the reader looks at stays where it is while blocks above it come, grow or go. A browser
  // would hold on to any pixel in view, such as the border of a figure under which a row appears.
  document.documentElement.style.overflowAnchor = "none";
  function keepPlace(change) {
    const node = scrollY > 0 ? lookedOn() : undefined;
    const top = node?.getBoundingClientRect().top;
    change();
    if (node?.isConnected) scrollBy({ top: node.getBoundingClientRect().top - top, behavior: "instant" });
  }

  // Replaces the cards that differ, and leaves all others as they are.
  function showCards(parent, cards) {
    cards.forEach((html, place) => {
      const old = parent.children[place];
      if (old && texts.get(old) === html) return;
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const card = holder.content.firstElementChild;
      texts.set(card, html);
      if (!old) return void parent.append(card);
      const scrolled = [...old.querySelectorAll(".scroller")].map((node) => node.scrollLeft);
      texts.delete(old);
      old.replaceWith(card);
      card.querySelectorAll(".scroller").forEach((node, n) => { node.scrollLeft = scrolled[n] ?? 0; });
    });
    while (parent.children.length > cards.length) {
      texts.delete(parent.lastElementChild);
      parent.lastElementChild.remove();
    }
  }

  const watcher = new IntersectionObserver((entries) => {
    entries.forEach(({ target, isIntersecting }) => {
      if (isIntersecting) visible.add(target);
      else visible.delete(target);
    });
    draw();
  }, { rootMargin: "200px" });

  function put(parent, node, place) {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  }

  function make(tag, name, parent, className = "") {
    const node = document.createElement(tag);
    node.dataset.name = name;
    node.className = className;
    parent.append(node);
    return node;
  }

  const child = (parent, name) =>
    [...parent.children].find((node) => node.dataset.name === name);

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function figureOf(parent, { name, wide }) {
    const figure = make("figure", name, parent, wide ? "wide" : "");
    const holder = make("div", "holder", figure, wide ? "scroller" : "");
    if (wide) holder.tabIndex = 0;
    holder.append(new Image());
    make("p", "problem", figure).hidden = true;
    make("figcaption", "caption", figure);
    watcher.observe(figure);
    return figure;
  }

  function showSections(sections) {
    const parent = document.getElementById("sections");
    sections.forEach(({ name, heading, note, pictures }, place) => {
      let section = child(parent, name);
      if (!section) {
        section = make("section", name, parent);
        make("h2", "heading", section);
        make("p", "note", section, "quiet");
        make("div", "pictures", section, "pictures");
      }
      put(parent, section, place);
      setText(child(section, "heading"), heading);
      setText(child(section, "note"), note);
      child(section, "note").hidden = !note;
      const grid = child(section, "pictures");
      pictures.forEach((picture, number) => {
        const figure = child(grid, picture.name) ?? figureOf(grid, picture);
        put(grid, figure, number);
        figure.querySelector("img").alt = picture.alt;
        setText(child(figure, "caption"), picture.caption);
      });
      dropOthers(grid, pictures);
    });
    dropOthers(parent, sections);
  }

  function dropOthers(parent, wanted) {
    [...parent.children].filter((node) => !wanted.some((each) => each.name === node.dataset.name))
      .forEach((node) => {
        node.querySelectorAll("figure").forEach((each) => visible.delete(each));
        visible.delete(node);
        node.remove();
      });
  }

  // Only once it can be shown, so that the place is never empty.
  async function pictureOf(answer, former) {
    const picture = new Image();
    picture.src = URL.createObjectURL(await answer.blob());
    picture.alt = former.alt;
    await picture.decode().catch(() => {});
    URL.revokeObjectURL(former.src);
    return picture;
  }

  async function load(figure) {
    const theme = dark.matches ? "dark" : "light";
    const version = `${known.version} ${theme}`;
    if (figure.dataset.version === version) return;
    const what = `picture/${encodeURIComponent(figure.dataset.name)}/${theme}`;
    const isOther = figure.dataset.theme !== theme;
    if (isOther) tags.delete(what);
    const answer = await ask(what);
    if (answer === null) return;
    const image = figure.querySelector("img");
    const problem = child(figure, "problem");
    const isImage = answer.headers.get("Content-Type").startsWith("image/");
    const next = isImage ? await pictureOf(answer, image) : image;
    const text = isImage ? "" : `${image.alt} ${await answer.text()}`;
    keepPlace(() => {
      image.replaceWith(next);
      next.hidden = !isImage;
      problem.hidden = isImage;
      problem.textContent = text;
    });
    keep(what, answer);
    figure.dataset.theme = theme;
    // A picture of an earlier version is asked for again.
    if (tags.get(what) === `"${known.version}"`) figure.dataset.version = version;
  }

  let isDrawing = false;
  async function draw() {
    if (isDrawing || known === null) return;
    isDrawing = true;
    try {
      for (const figure of [...visible]) {
        if (visible.has(figure)) await load(figure);
      }
    } catch {
      // The next look asks again, and says if the connection is lost.
    } finally {
      isDrawing = false;
    }
  }

  async function look() {
    const answer = await ask("state");
    if (answer !== null) known = await answer.json();
    keepPlace(() => {
      if (answer !== null) {
        showCards(document.getElementById("running"), known.running);
        showCards(document.getElementById("cards"), known.cards);
        showSections(known.sections);
      }
      setText(status, known.status);
      status.className = known.state.replace(" ", "-");
      document.body.classList.toggle("empty", known.cards.length === 0);
      tell();
    });
    draw();
    if (answer === null) return;
    // It answers that nothing is new if so.
    const table = await ask("table");
    if (table !== null) {
      const rows = await table.json();
      keepPlace(() => evaluations.replace(rows));
      keep("table", table);
    }
    keep("state", answer);
  }

  async function go() {
    lookedAt = Date.now();
    try {
      await look();
    } catch {
      setText(status, ENDED);
      status.className = "lost";
      tags.delete("state");
    }
    setTimeout(go, document.hidden ? Math.max(interval, 60000) : interval);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - lookedAt > interval) look().catch(() => {});
  });
  dark.addEventListener("change", draw);
  setInterval(() => keepPlace(tell), 1000);
  go();
})();
