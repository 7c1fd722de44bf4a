// The plots of the last hour: what was new is asked for every ten seconds and drawn
// by uPlot. What shares a plot shares its colours with the rest of the page.
(() => {
  "use strict";
  const hour = 3600, every = 10000;
  const colours = { sticky: "--plot-1", new: "--plot-2", hash: "--plot-3", none: "--plot-4", failover: "--plot-5", drained: "--plot-6", "unknown-route": "--plot-7", unserved: "--plot-8" };
  // css is a colour of the page as the canvas understands it.
  const probe = document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  const css = (name, alpha) => {
    probe.style.color = "var(" + name + ")";
    const colour = getComputedStyle(probe).color;
    return alpha ? colour.replace("rgb(", "rgba(").replace(")", ", " + alpha + ")") : colour;
  };
  const drawn = new Map(); // by pool: the plots
  let past = { times: [], pools: {}, outcomes: [] };

  // joined is a list with its news behind it, without what is older than an hour.
  const joined = (old, news, before, from) => [...(old || Array(before).fill(null)), ...news].slice(from);
  const join = (news) => {
    const before = past.times.length;
    const times = [...past.times, ...news.times];
    const from = Math.max(0, times.findIndex((t) => t > times[times.length - 1] - hour));
    const pools = {};
    for (const [name, p] of Object.entries(news.times.length ? news.pools : past.pools)) {
      const old = past.pools[name];
      pools[name] = {
        rate: p.rate.map((r, i) => joined(old?.rate[i], news.times.length ? r : [], before, from)),
        failures: joined(old?.failures, news.times.length ? p.failures : [], before, from),
        p99: joined(old?.p99, news.times.length ? p.p99 : [], before, from),
      };
    }
    past = { times: times.slice(from), pools, outcomes: news.outcomes };
  };

  const short = (n) => n == null ? "–" : n >= 100 ? Math.round(n).toString() : n >= 10 ? n.toFixed(1) : n === 0 ? "0" : n.toPrecision(2);
  const milli = (n) => !n ? "–" : n >= 1000 ? (n / 1000).toFixed(1) + " s" : Math.round(n) + " ms";

  // linesOf are the plots of a pool: for each its title, its lines and how to write a value.
  const linesOf = (p) => [
    {
      title: "Requests a second", value: short,
      lines: past.outcomes.map((o, i) => ({ label: o, data: p.rate[i], colour: colours[o] })).filter((l) => l.data.some((n) => n > 0)),
    },
    { title: "5xx a second", value: short, lines: [{ label: "5xx", data: p.failures, colour: "--plot-8" }] },
    { title: "p99", value: milli, lines: [{ label: "p99", data: p.p99.map((n) => n === 0 ? null : n), colour: "--plot-3" }] },
  ];

  const axis = (value) => ({ stroke: css("--faint"), grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif", size: value ? 44 : 24, gap: 4, values: value ? (u, all) => all.map((n) => n == null ? "" : value(n)) : undefined });
  const optionsOf = (plot, width) => ({
    width, height: 120, padding: [8, 8, 0, 0],
    cursor: { y: false, sync: { key: "usher" }, drag: { x: false, y: false } },
    legend: { show: true },
    scales: { x: { range: () => { const now = Date.now() / 1000; return [now - Math.min(hour, Math.max(600, now - past.times[0])), now]; } }, y: { range: (u, min, max) => [0, Math.max(max || 0, plot.value === milli ? 10 : 1) * 1.1] } },
    axes: [{ ...axis(), space: 70, values: (u, all) => all.map((t) => new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })) },
      { ...axis((n) => plot.value === milli && n === 0 ? "0" : plot.value(n)), space: 30 }],
    series: [{ label: "at", value: (u, t) => t == null ? "now" : new Date(t * 1000).toLocaleTimeString([], { hourCycle: "h23" }) },
      ...plot.lines.map((l) => ({ label: l.label, stroke: css(l.colour), width: 1.5, fill: plot.lines.length === 1 ? css(l.colour, 0.13) : undefined, points: { show: false }, value: (u, n) => plot.value(n) }))],
    hooks: { setCursor: [(u) => { if (u.cursor.idx == null) latest(u); }] },
  });
  const latest = (u) => u.setLegend({ idx: u.data[0].length - 1 }, false);

  const figureOf = (box, plot) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const canvas = document.createElement("div");
    caption.textContent = plot.title;
    canvas.setAttribute("role", "img");
    figure.append(caption, canvas);
    box.append(figure);
    return { figure, canvas };
  };

  // draw makes or renews the plots of one pool.
  const draw = (box) => {
    const p = past.pools[box.dataset.pool];
    if (!p) return;
    const plots = linesOf(p);
    const shape = plots.map((x) => x.lines.map((l) => l.label).join()).join("|");
    let have = drawn.get(box.dataset.pool);
    if (!have || have.box !== box || have.shape !== shape) {
      have?.all.forEach((x) => x.plot.destroy());
      box.replaceChildren();
      have = { box, shape, all: plots.map((plot) => {
        const at = figureOf(box, plot);
        return { ...at, plot: new uPlot(optionsOf(plot, at.canvas.clientWidth || 300), [past.times, ...plot.lines.map((l) => l.data)], at.canvas) };
      }) };
      drawn.set(box.dataset.pool, have);
    }
    have.all.forEach((x, i) => {
      x.plot.setData([past.times, ...plots[i].lines.map((l) => l.data)]);
      latest(x.plot);
      x.canvas.setAttribute("aria-label", plots[i].title + " in the last hour; now " + (plots[i].lines.map((l) => l.label + " " + plots[i].value(l.data.at(-1))).join(", ") || "none"));
    });
  };
  const drawAll = () => document.querySelectorAll(".plots").forEach(draw);
  const again = () => { drawn.forEach((d) => d.all.forEach((x) => x.plot.destroy())); drawn.clear(); document.querySelectorAll(".plots").forEach((b) => b.replaceChildren()); drawAll(); };

  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/console/hour?since=" + (past.times.at(-1) || 0), { headers: { "X-Background": "1" } });
      if (!answer.ok) return;
      join(await answer.json());
      drawAll();
    } catch { /* the page itself says when usher does not answer */ }
  };

  ask();
  setInterval(ask, every);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("htmx:afterSettle", (e) => { if (e.target.id === "live") document.querySelectorAll(".plots:empty").forEach(draw); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let resizing;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => drawn.forEach((d) => d.all.forEach((x) => x.plot.setSize({ width: x.canvas.clientWidth, height: 120 }))), 150);
  });
})();
