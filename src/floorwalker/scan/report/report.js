"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { rows, agents, patterns, tiers, categories, features } = data.suspects;
  const PAGE = 25;
  const SHOWN_FEATURES = 11;
  const MARKS = ["●", "◐", "○"];
  const byId = (id) => document.getElementById(id);

  // Every text goes into the page by textContent: nothing from the log is ever parsed as HTML.
  const make = (tag, style, text, attributes) => {
    const element = document.createElement(tag);
    if (style) element.className = style;
    if (text !== undefined) element.textContent = text;
    for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
    return element;
  };
  const words = (code) => (code.includes(".") ? code.slice(code.indexOf(".") + 1) : code).replace(/_/g, " ");
  const count = (number) => number.toLocaleString("en");
  const digits = (value) => {
    if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(3)));
  };
  const duration = (seconds) => {
    if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
    const whole = Math.round(seconds);
    for (const [size, name, part, partName] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
      if (whole >= size) {
        const rest = Math.floor((whole % size) / part);
        return `${Math.floor(whole / size)} ${name}` + (rest ? ` ${rest} ${partName}` : "");
      }
    }
    return `${whole} s`;
  };
  const measure = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "seconds") return duration(value);
    if (unit === "share") return `${digits(100 * value)} %`;
    return digits(value);
  };
  const agentOf = (row) => (row.agent < 0 ? "" : agents[row.agent]);
  const nameOf = (row) => row.client || row.session || `visitor ${row.id}`;
  const severalDays = new Set(rows.map((row) => row.day)).size > 1;

  // ---- the flagged table -------------------------------------------------------------------------------------------
  const columns = [
    { title: "Evidence", key: (row) => row.tier },
    { title: "Visitor", key: (row) => nameOf(row) },
    { title: "Kind", key: (row) => categories[row.category] || "" },
    { title: severalDays ? "When" : "Seen", key: (row) => row.first },
    { title: features.length ? features[0].label : "visits", key: (row) => row.values[0] || 0, number: true },
    { title: "Score", key: (row) => row.score || 0, number: true },
    { title: "Why", key: null, wide: true },
  ];
  const state = { sort: -1, down: false, shown: PAGE, open: new Set(), found: rows.map((_, place) => place) };
  const body = byId("rows");

  rows.forEach((row) => {
    row.text = [row.client, row.session, row.network, row.host, agentOf(row), row.day, ...row.codes, ...row.reasons, ...row.routes]
      .join("\n")
      .toLowerCase();
  });

  const track = (share) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 100 10");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "track");
    const add = (tag, style, attributes) => {
      const shape = document.createElementNS(space, tag);
      shape.setAttribute("class", style);
      for (const name in attributes) shape.setAttribute(name, attributes[name]);
      svg.append(shape);
    };
    add("path", "rail", { d: "M2 5H98" });
    add("path", "centre", { d: "M50 1V9" });
    const outer = share < 0.05 || share > 0.95;
    add("circle", outer ? "dot far" : "dot", { cx: 2 + 96 * share, cy: 5, r: 3.4 });
    return svg;
  };

  const placeOf = (share) => {
    if (share === null) return "–";
    const side = share < 0.5 ? "below" : "above";
    const far = Math.max(share, 1 - share);
    if (far >= 0.9995) return `${side} all others`;
    return `${side} ${far >= 0.985 ? (100 * far).toFixed(1) : Math.round(100 * far)} %`;
  };

  const details = (row) => {
    const box = make("div", "details");
    const left = make("div", "about");
    const reasons = make("ul", "reasons");
    row.reasons.forEach((reason, place) => {
      const item = make("li", "", reason);
      if (row.codes[place]) item.append(" ", make("code", "code", row.codes[place]));
      reasons.append(item);
    });
    left.append(make("h4", "", "Why"), reasons);
    const facts = make("dl", "facts");
    const fact = (name, value, mono) => {
      if (!value) return;
      const pair = make("div");
      const answer = make("dd");
      answer.append(mono ? make("code", "", value) : document.createTextNode(value));
      pair.append(make("dt", "", name), answer);
      facts.append(pair);
    };
    fact("user agent", agentOf(row) || "none", true);
    fact("address", row.client, true);
    fact("network", row.network, true);
    fact("session", row.session, true);
    fact("host", row.host, true);
    fact("seen", row.first ? `${row.first} to ${row.last}` : "");
    fact("checkouts", row.checkouts ? `${row.checkouts} completed: an honest customer may be behind this` : "none");
    left.append(make("h4", "", "Who"), facts);
    if (row.routes.length) {
      const list = make("ul", "routes");
      row.routes.forEach((route) => {
        const item = make("li");
        item.append(make("code", "", route));
        list.append(item);
      });
      left.append(make("h4", "", "Where to"), list);
    }
    const right = make("div", "compare");
    right.append(make("h4", "", "Compared with the site's visitors"));
    const table = make("table", "mini");
    const top = make("tr");
    ["feature", "this visitor", "site's median", "", "among visitors"].forEach((title) => top.append(make("th", "", title, { scope: "col" })));
    const head = make("thead");
    head.append(top);
    const cells = make("tbody");
    features
      .map((feature, place) => ({ feature, place, far: row.shares[place] === null ? -1 : Math.abs(row.shares[place] - 0.5) }))
      .sort((a, b) => b.far - a.far || a.place - b.place)
      .forEach(({ feature, place }, order) => {
        const line = make("tr", order >= SHOWN_FEATURES ? "minor" : "");
        const name = make("th", "", feature.label, { scope: "row", title: feature.meaning });
        const strip = make("td", "strip");
        if (row.shares[place] !== null) strip.append(track(row.shares[place]));
        const plain = ["seconds", "share", "requests", "ratio", "log seconds", ""].includes(feature.unit);
        const unit = plain ? "" : ` ${row.values[place] === 1 ? feature.unit.replace(/s$/, "") : feature.unit}`;
        line.append(
          name,
          make("td", "num strong", measure(row.values[place], feature.unit) + unit),
          make("td", "num", measure(feature.median, feature.unit)),
          strip,
          make("td", "stands", placeOf(row.shares[place])),
        );
        cells.append(line);
      });
    table.append(head, cells);
    right.append(table);
    if (features.length > SHOWN_FEATURES) {
      const all = make("button", "all", `Show all ${features.length} features`, { type: "button" });
      all.addEventListener("click", () => {
        table.classList.add("whole");
        all.remove();
      });
      right.append(all);
    }
    box.append(left, right);
    return box;
  };

  const buildRow = (place) => {
    const row = rows[place];
    const line = make("tr", "suspect", undefined, { id: `row-${place}` });
    const cell = (title, style, content) => {
      const box = make("td", style, undefined, { "data-label": title });
      box.append(...[].concat(content));
      line.append(box);
    };
    const open = state.open.has(place);
    const toggle = make("button", "toggle", undefined, { type: "button", "aria-expanded": String(open), "aria-controls": `more-${place}` });
    toggle.append(make("span", "arrow", "", { "aria-hidden": "true" }), make("span", `tier t-${row.tier}`, `${MARKS[row.tier]} ${tiers[row.tier]}`));
    toggle.addEventListener("click", () => expand(place, !state.open.has(place)));
    const agent = make("small", "agent", agentOf(row) || "no user agent");
    cell("Evidence", "", toggle);
    cell("Visitor", "visitor", [make("code", "", nameOf(row)), agent]);
    const kind = categories[row.category];
    cell("Kind", "", make("span", kind ? `kind c-${kind}` : "kind", kind || "–"));
    cell(columns[3].title, "when", row.first ? (severalDays ? row.first.slice(0, 16) : `${row.first.slice(11, 16)}–${row.last.slice(11, 16)}`) : row.day);
    cell(columns[4].title, "num", features.length ? measure(row.values[0], features[0].unit) : "–");
    cell("Score", "num", row.score === null ? "–" : row.score.toFixed(2));
    const why = make("span", "", row.reasons[0] || "–");
    const extra = [why];
    if (row.checkouts) extra.push(" ", make("span", "bought", row.checkouts === 1 ? "bought" : `bought ${row.checkouts} times`));
    if (row.reasons.length > 1) extra.push(" ", make("small", "", `+${row.reasons.length - 1} more`));
    cell("Why", "wide", extra);
    const group = [line];
    if (open) group.push(detailRow(place));
    return group;
  };

  const detailRow = (place) => {
    const line = make("tr", "detail", undefined, { id: `more-${place}` });
    const box = make("td", "", undefined, { colspan: String(columns.length) });
    box.append(details(rows[place]));
    line.append(box);
    return line;
  };

  const expand = (place, open) => {
    const line = byId(`row-${place}`);
    if (!line) return;
    line.querySelector(".toggle").setAttribute("aria-expanded", String(open));
    if (open && !state.open.has(place)) line.after(detailRow(place));
    if (!open) byId(`more-${place}`)?.remove();
    if (open) state.open.add(place);
    else state.open.delete(place);
  };

  const draw = () => {
    const lines = [];
    state.found.slice(0, state.shown).forEach((place) => lines.push(...buildRow(place)));
    body.replaceChildren(...lines);
    const shown = Math.min(state.shown, state.found.length);
    byId("found").textContent =
      state.found.length === rows.length
        ? `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}${shown < rows.length ? `, ${shown} shown` : ""}`
        : `${count(state.found.length)} of ${count(rows.length)} rows match${shown < state.found.length ? `, ${shown} shown` : ""}`;
    const rest = state.found.length - shown;
    const more = byId("more");
    more.hidden = rest <= 0;
    more.textContent = `Show ${Math.min(PAGE, rest)} more of ${count(rest)}`;
    byId("heads").querySelectorAll("th").forEach((head, place) => {
      if (place === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    document.querySelectorAll("[data-filter]").forEach((button) => {
      const chosen = byId(button.dataset.filter).value === button.dataset.value;
      button.setAttribute("aria-pressed", String(chosen));
    });
  };

  const refresh = () => {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [tier, category, pattern] = ["tier", "category", "pattern"].map((id) => byId(id).value);
    state.found = [];
    rows.forEach((row, place) => {
      if (tier !== "" && row.tier !== Number(tier)) return;
      if (category !== "" && row.category !== Number(category)) return;
      if (pattern !== "" && (row.pattern < 0 || patterns[row.pattern] !== pattern)) return;
      if (wanted.every((word) => row.text.includes(word))) state.found.push(place);
    });
    if (state.sort >= 0) {
      const { key } = columns[state.sort];
      const sign = state.down ? -1 : 1;
      const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
      state.found.sort((a, b) => sign * compare(key(rows[a]), key(rows[b])) || a - b);
    }
    state.shown = PAGE;
    draw();
  };

  const startTable = () => {
    columns.forEach((column, place) => {
      const head = make("th", column.number ? "num" : column.wide ? "wide" : "", undefined, { scope: "col" });
      if (column.key) {
        const button = make("button", "sort", column.title, { type: "button" });
        button.addEventListener("click", () => {
          state.down = state.sort === place ? !state.down : Boolean(column.number);
          state.sort = place;
          refresh();
        });
        head.append(button);
      } else head.textContent = column.title;
      byId("heads").append(head);
    });
    const fill = (id, options) => {
      const select = byId(id);
      options.forEach(([value, text]) => select.append(make("option", "", text, { value })));
      select.parentElement.hidden = options.length < 2;
      select.addEventListener("change", refresh);
    };
    const present = (field) => new Set(rows.map((row) => row[field]));
    fill("tier", tiers.map((name, place) => [String(place), name]).filter(([place]) => present("tier").has(Number(place))));
    fill("category", categories.map((name, place) => [String(place), name]).filter(([place]) => present("category").has(Number(place))));
    fill("pattern", patterns.map((code) => [code, words(code)]));
    let waiting = 0;
    byId("search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(refresh, 120);
    });
    const form = byId("search").form;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => {
      state.sort = -1;
      refresh();
    }));
    byId("more").addEventListener("click", () => {
      const first = state.shown;
      state.shown += PAGE;
      draw();
      body.querySelectorAll("tr.suspect")[first]?.querySelector(".toggle").focus();
    });
    document.querySelectorAll("[data-filter]").forEach((button) =>
      button.addEventListener("click", () => {
        const select = byId(button.dataset.filter);
        if (![...select.options].some((option) => option.value === button.dataset.value)) return;
        select.value = select.value === button.dataset.value ? "" : button.dataset.value;
        refresh();
        byId("found").scrollIntoView({ block: "center" });
      }),
    );
    // Paper cannot scroll: print what the filters left, up to a few pages.
    window.addEventListener("beforeprint", () => {
      state.shown = Math.max(state.shown, 200);
      draw();
      document.querySelectorAll("main details").forEach((box) => { box.open = true; });
    });
    refresh();
  };

  const showRow = (place) => {
    byId("search").form.reset();
    setTimeout(() => {
      const at = state.found.indexOf(place);
      if (at < 0) return;
      state.shown = Math.max(state.shown, at + 1);
      draw();
      expand(place, true);
      const line = byId(`row-${place}`);
      line.scrollIntoView({ block: "start" });
      line.querySelector(".toggle").focus({ preventScroll: true });
    }, 30);
  };

  // ---- the map -----------------------------------------------------------------------------------------------------
  const startMap = () => {
    const { x, y, category, flag, client, agent, agents: names, score } = data.map;
    const svg = byId("map-points");
    const tip = byId("tip");
    const WIDTH = 1000;
    const HEIGHT = 640;
    const view = { scale: 1, left: 0, top: 0 };
    const hidden = new Set();
    const shapes = [
      (a, b, r) => `M${a} ${b - 1.2 * r}L${a + 1.1 * r} ${b + 0.8 * r}H${a - 1.1 * r}Z`,
      (a, b, r) => `M${a - 0.9 * r} ${b - 0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}Z`,
      (a, b, r) => `M${a - r} ${b}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
      (a, b, r) => `M${a} ${b - 1.3 * r}L${a + 1.3 * r} ${b}L${a} ${b + 1.3 * r}L${a - 1.3 * r} ${b}Z`,
    ];
    const paths = categories.map((name) => {
      const pair = ["point", "point ring"].map((style) => {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", `${style} c-${name}`);
        return path;
      });
      return pair;
    });
    const halo = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    halo.setAttribute("class", "halo");
    halo.setAttribute("r", "11");
    svg.append(...paths.map((pair) => pair[0]), ...paths.map((pair) => pair[1]), halo);
    const spotX = (place) => (x[place] - view.left) * view.scale * (WIDTH / 1000);
    const spotY = (place) => (y[place] - view.top) * view.scale * (HEIGHT / 1000);
    const size = x.length > 1500 ? 3 : 4;
    const paint = () => {
      const parts = categories.map(() => [[], []]);
      x.forEach((_, place) => {
        const a = spotX(place);
        const b = spotY(place);
        if (a < -9 || b < -9 || a > WIDTH + 9 || b > HEIGHT + 9) return;
        const flagged = flag[place] !== -1;
        const shape = shapes[category[place]](Number(a.toFixed(1)), Number(b.toFixed(1)), flagged ? size + 1.2 : size);
        parts[category[place]][flagged ? 1 : 0].push(shape);
      });
      paths.forEach((pair, kind) => pair.forEach((path, ring) => {
        path.setAttribute("d", hidden.has(kind) ? "" : parts[kind][ring].join(""));
      }));
      halo.setAttribute("cx", "-99");
    };
    const legend = byId("map-legend");
    categories.forEach((name, kind) => {
      const number = category.filter((other) => other === kind).length;
      if (!number) return;
      const item = make("li");
      const button = make("button", `c-${name}`, undefined, { type: "button", "aria-pressed": "true" });
      const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      key.setAttribute("viewBox", "0 0 12 12");
      key.setAttribute("class", "shape");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", `point c-${name}`);
      path.setAttribute("d", shapes[kind](6, 6, 4));
      key.append(path);
      button.append(key, `${name} `, make("small", "", count(number)));
      button.addEventListener("click", () => {
        if (hidden.has(kind)) hidden.delete(kind);
        else hidden.add(kind);
        button.setAttribute("aria-pressed", String(!hidden.has(kind)));
        paint();
      });
      item.append(button);
      legend.append(item);
    });

    const pointer = (event) => {
      const box = svg.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT, box];
    };
    const nearest = (a, b) => {
      let best = -1;
      let least = 18 * 18;
      x.forEach((_, place) => {
        if (hidden.has(category[place])) return;
        const distance = (spotX(place) - a) ** 2 + (spotY(place) - b) ** 2 - (flag[place] !== -1 ? 20 : 0);
        if (distance < least) {
          least = distance;
          best = place;
        }
      });
      return best;
    };
    let drag = null;
    svg.addEventListener("pointerdown", (event) => {
      const [a, b] = pointer(event);
      drag = { a, b, left: view.left, top: view.top, moved: false };
    });
    window.addEventListener("pointerup", () => { setTimeout(() => { drag = null; }); });
    svg.addEventListener("pointermove", (event) => {
      const [a, b, box] = pointer(event);
      if (drag && view.scale > 1 && (drag.moved || Math.hypot(a - drag.a, b - drag.b) > 5)) {
        drag.moved = true;
        view.left = drag.left - (a - drag.a) / view.scale / (WIDTH / 1000);
        view.top = drag.top - (b - drag.b) / view.scale / (HEIGHT / 1000);
        clampView();
        paint();
        tip.hidden = true;
        return;
      }
      const place = nearest(a, b);
      tip.hidden = place < 0;
      svg.classList.toggle("hot", place >= 0 && flag[place] >= 0);
      if (place < 0) {
        halo.setAttribute("cx", "-99");
        return;
      }
      halo.setAttribute("cx", spotX(place));
      halo.setAttribute("cy", spotY(place));
      const row = flag[place] >= 0 ? rows[flag[place]] : null;
      const told = [make("b", "", client[place] || "visitor"), make("span", "", agent[place] < 0 ? "no user agent" : names[agent[place]])];
      told.push(make("span", "", `${categories[category[place]]}, score ${score[place] === null ? "–" : score[place].toFixed(2)}`));
      if (row) told.push(make("span", `tier t-${row.tier}`, `${MARKS[row.tier]} ${tiers[row.tier]}; click for the row`));
      else if (flag[place] === -2) told.push(make("span", "", "flagged"));
      tip.replaceChildren(...told);
      const fromLeft = (spotX(place) / WIDTH) * box.width;
      const fromTop = (spotY(place) / HEIGHT) * box.height;
      tip.style.left = `${Math.max(0, Math.min(fromLeft + 14, box.width - tip.offsetWidth - 4))}px`;
      tip.style.top = `${fromTop + 16 + tip.offsetHeight > box.height ? Math.max(0, fromTop - tip.offsetHeight - 12) : fromTop + 16}px`;
    });
    svg.addEventListener("pointerleave", () => {
      tip.hidden = true;
      halo.setAttribute("cx", "-99");
    });
    svg.addEventListener("click", (event) => {
      if (drag && drag.moved) return;
      const [a, b] = pointer(event);
      const place = nearest(a, b);
      if (place >= 0 && flag[place] >= 0) showRow(flag[place]);
    });
    const clampView = () => {
      const room = 1000 - 1000 / view.scale;
      view.left = Math.max(0, Math.min(room, view.left));
      view.top = Math.max(0, Math.min(room, view.top));
    };
    const zoom = (factor, a = WIDTH / 2, b = HEIGHT / 2) => {
      const before = view.scale;
      view.scale = Math.max(1, Math.min(24, view.scale * factor));
      view.left += (a / (WIDTH / 1000)) * (1 / before - 1 / view.scale);
      view.top += (b / (HEIGHT / 1000)) * (1 / before - 1 / view.scale);
      clampView();
      svg.classList.toggle("zoomed", view.scale > 1);
      paint();
    };
    byId("zoom-in").addEventListener("click", () => zoom(1.6));
    byId("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
    byId("zoom-reset").addEventListener("click", () => zoom(0));
    svg.addEventListener("dblclick", (event) => {
      const [a, b] = pointer(event);
      zoom(2, a, b);
    });
    paint();
  };

  if (body) startTable();
  if (byId("map-points")) startMap();
})();
