"use strict";
// Draws the charts from the JSON beside each table, and filters them. Everything that came from the warehouse is
// put into the page as text.
(() => {
  const meta = JSON.parse(document.getElementById("meta").textContent);
  const filter = { from: null, to: null, level: null };
  const UNKNOWN = "unknown";
  const MOST_BARS = 15;
  const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const number = new Intl.NumberFormat("en");
  const short = new Intl.NumberFormat("en", { notation: "compact" });
  const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
  const long = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const DAY = 86400000;

  const named = (level) => level ?? UNKNOWN;
  const levels = meta.levels.map(named);
  const levelColour = (level) =>
    level === "free" ? "var(--free)" : level === "paid" ? "var(--paid)" : "var(--other)";
  const levelScale = { domain: levels, range: levels.map(levelColour) };
  const date = (day) => new Date(day);
  const within = (day) => (!filter.from || day >= filter.from) && (!filter.to || day <= filter.to);
  const ofLevel = (level) => filter.level === null || named(level) === filter.level;
  const sum = (rows, value) => rows.reduce((total, row) => total + value(row), 0);
  // Even nothing is seen.
  const shade = (share) => 0.05 + 0.95 * share;
  // A text within other text keeps its own direction.
  const isolated = (text) => `\u2068${text ?? UNKNOWN}\u2069`;
  const shortened = (text, most) => {
    const letters = [...(text ?? UNKNOWN)];
    return letters.length <= most ? letters.join("") : letters.slice(0, most - 1).join("") + "…";
  };

  const panels = [...document.querySelectorAll(".panel.charted")].map((element) => {
    const { columns, rows, also } = JSON.parse(document.getElementById(`data-${element.id}`).textContent);
    // 0 stands for the text of the row above.
    rows.forEach((row, place) => row.forEach((value, column) => {
      if (value === 0 && typeof rows[place - 1]?.[column] === "string") row[column] = rows[place - 1][column];
    }));
    const records = rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
    return { name: element.id, element, records, also, figure: element.querySelector("figure") };
  });
  const recordsOf = (name) => panels.find((panel) => panel.name === name)?.records ?? [];

  const base = (width, options) => ({
    width,
    marginLeft: 44,
    marginRight: 8,
    marginTop: 12,
    marginBottom: 26,
    style: { background: "transparent", color: "var(--ink)", fontSize: "12px", overflow: "visible" },
    ...options,
  });
  const whole = (name) => ({ label: name, grid: true, tickFormat: (value) => short.format(value), ticks: 4, nice: true });
  const time = { type: "utc", label: null, ticks: 5 };

  // A tick at every Monday, or at so many of them as have room.
  const weekly = (weeks) => ({
    type: "utc", label: null, tickFormat: d3.utcFormat("%-d %b"),
    ticks: weeks.filter((_, place) => place % Math.ceil(weeks.length / 5) === 0),
  });

  function legend(entries) {
    const list = document.createElement("ul");
    list.className = "legend";
    for (const [text, colour] of entries) {
      const item = document.createElement("li");
      item.textContent = text;
      item.style.setProperty("--mark", colour);
      list.append(item);
    }
    return list;
  }

  // Rows of a name, a thin bar, and its number: legible on a phone, whatever the length of the name.
  function bars(width, rows, { colour = () => "var(--accent)", note = () => "" } = {}) {
    const most = Math.max(...rows.map((row) => row.value), 1);
    const letters = Math.floor((width - 90) / 7);
    const marked = rows.map((row, place) => ({ ...row, place, text: isolated(shortened(row.name, letters)) }));
    const y = { type: "band", domain: d3.range(rows.length), axis: null, padding: 0 };
    return Plot.plot(
      base(width, {
        height: rows.length * 36 + 6,
        marginLeft: 0,
        marginRight: 0,
        marginTop: 0,
        marginBottom: 6,
        x: { domain: [0, most], axis: null },
        y,
        marks: [
          Plot.barX(marked, { x1: 0, x2: most, y: "place", fill: "var(--wash)", insetTop: 24, insetBottom: 4, rx: 2 }),
          Plot.barX(marked, {
            x1: 0, x2: "value", y: "place", fill: colour, insetTop: 24, insetBottom: 4, rx: 2,
            title: (row) => `${isolated(row.name)}\n${number.format(row.value)} plays`,
          }),
          Plot.text(marked, { x: 0, y: "place", text: "text", textAnchor: "start", dy: -6, fill: "var(--ink)" }),
          Plot.text(marked, {
            frameAnchor: "right", y: "place", text: (row) => number.format(row.value) + note(row),
            textAnchor: "end", dy: -6, fill: "var(--muted)",
          }),
        ],
      }),
    );
  }

  function top(name) {
    return ({ records }, width) => {
      const listed = records.filter((row) => (filter.level === null ? row.of_level === null : row.of_level === filter.level));
      const rows = listed.slice(0, MOST_BARS).map((row) => ({ name: name(row), value: row.plays }));
      return rows.length ? [bars(width, rows)] : [];
    };
  }

  function byLevel(key) {
    return ({ records }, width) => {
      const found = d3.rollups(
        records.filter((row) => ofLevel(row.level)), (group) => sum(group, (row) => row.plays), (row) => row[key] ?? UNKNOWN,
      );
      const total = sum(found, (each) => each[1]);
      const rows = found.map(([name, value]) => ({ name, value })).sort((a, b) => b.value - a.value);
      return rows.length ? [bars(width, rows, { note: (row) => ` · ${percent.format(row.value / total)}` })] : [];
    };
  }

  function trends(name) {
    return ({ records }, width) => {
      const weeks = d3.utcMonday.range(
        d3.utcMonday.floor(date(d3.min(records, (row) => row.week))), new Date(+date(d3.max(records, (row) => row.week)) + 1),
      );
      const places = d3.groups(records, (row) => row.place).map(([place, group]) => {
        const plays = new Map(group.map((row) => [+date(row.week), row.plays]));
        return { place, name: name(group[0]), weeks: weeks.map((week) => ({ place, week, plays: plays.get(+week) ?? 0 })) };
      });
      const rows = places.flatMap((each) => each.weeks);
      const letters = Math.floor(width / 7);
      return [
        Plot.plot(
          base(width, {
            height: places.length * 60 + 24,
            marginLeft: 16,
            marginRight: 20,
            marginTop: 0,
            marginBottom: 24,
            x: weekly(weeks),
            y: { axis: null, domain: [0, d3.max(rows, (row) => row.plays) * 1.1], insetTop: 22 },
            fy: { axis: null, padding: 0.18 },
            marks: [
              Plot.areaY(rows, { x: "week", y: "plays", fy: "place", fill: "var(--accent)", fillOpacity: 0.16 }),
              Plot.lineY(rows, { x: "week", y: "plays", fy: "place", stroke: "var(--accent)", strokeWidth: 1.5 }),
              Plot.dot(weeks.length < 10 ? rows : [], { x: "week", y: "plays", fy: "place", r: 2, fill: "var(--accent)" }),
              Plot.ruleY(places, { y: 0, fy: "place", stroke: "var(--line)" }),
              Plot.text(places, {
                fy: "place", frameAnchor: "top-left", dx: -16, text: (each) => isolated(shortened(each.name, letters)),
                fill: "var(--ink)", textAnchor: "start",
              }),
              Plot.tip(rows, Plot.pointerX({
                x: "week", y: "plays", fy: "place", title: (row) => `week of ${long.format(row.week)}\n${number.format(row.plays)} plays`,
              })),
            ],
          }),
        ),
      ];
    };
  }

  function said(text) {
    const paragraph = document.createElement("p");
    paragraph.className = "nothing";
    paragraph.textContent = text;
    return paragraph;
  }

  // Plays by weekday and hour, of rows that may repeat both.
  function heat(records, width, clock) {
    const plays = new Map(d3.cross(d3.range(7), d3.range(24)).map(([weekday, hour]) => [weekday * 24 + hour, 0]));
    for (const { weekday, hour, plays: more } of records) {
      plays.set(weekday * 24 + hour, plays.get(weekday * 24 + hour) + (more ?? 0));
    }
    const rows = [...plays].map(([place, value]) => ({ weekday: WEEKDAYS[Math.floor(place / 24)], hour: place % 24, value }));
    const most = d3.max(rows, (row) => row.value);
    if (!most) return [];
    return [
      Plot.plot(
        base(width, {
          height: 7 * 30 + 30,
          marginLeft: 34,
          marginRight: 0,
          marginTop: 0,
          x: { label: null, ticks: d3.range(0, 24, 3), tickSize: 0, padding: 0.08, domain: d3.range(24), tickFormat: (hour) => (hour % 3 ? "" : `${hour}h`) },
          y: { label: null, domain: [...WEEKDAYS.slice(1), "Sun"], tickSize: 0, padding: 0.08 },
          marks: [
            Plot.cell(rows, {
              x: "hour", y: "weekday", fill: "var(--accent)", fillOpacity: { value: (row) => shade(row.value / most), scale: null }, rx: 3,
              title: (row) => `${row.weekday} ${row.hour}:00 to ${row.hour + 1}:00 ${clock}\n${number.format(row.value)} plays`, tip: true,
            }),
          ],
        }),
      ),
    ];
  }

  const song = (row) => `${row.song ?? UNKNOWN} · ${row.artist ?? UNKNOWN}`;
  const artist = (row) => row.artist;

  const CHARTS = {
    activity_by_day({ records }, width) {
      const rows = records.filter((row) => within(row.day)).map((row) => ({ ...row, day: date(row.day) }));
      if (!rows.length) return [];
      const few = rows.length < 40;
      const line = (name, colour) => [
        Plot.lineY(rows, { x: "day", y: name, stroke: colour, strokeWidth: 1.75 }),
        Plot.dot(few ? rows : [], { x: "day", y: name, fill: colour, r: 2.25 }),
      ];
      return [
        legend([["people", "var(--accent)"], ["listeners", "var(--third)"], ["new people", "var(--second)"]]),
        Plot.plot(
          base(width, {
            height: 260,
            x: time,
            y: whole("people"),
            marks: [
              Plot.ruleY([0], { stroke: "var(--line)" }),
              Plot.areaY(rows, { x: "day", y: "people", fill: "var(--accent)", fillOpacity: 0.07 }),
              ...line("new_people", "var(--second)"),
              ...line("listeners", "var(--third)"),
              ...line("people", "var(--accent)"),
              Plot.tip(rows, Plot.pointerX({
                x: "day", y: "people",
                title: (row) => [
                  long.format(row.day), `${number.format(row.people)} people`, `${number.format(row.listeners)} listeners`,
                  `${number.format(row.plays)} plays`, `${number.format(row.new_people)} new`,
                  row.lost_people === null ? "" : `${number.format(row.lost_people)} not seen again for 28 days`,
                ].filter(Boolean).join("\n"),
              })),
            ],
          }),
        ),
      ];
    },

    levels_by_day({ records }, width) {
      const rows = records
        .filter((row) => within(row.day) && ofLevel(row.level))
        .map((row) => ({ ...row, day: date(row.day), level: named(row.level) }));
      if (!rows.length) return [];
      return [
        legend(levels.filter((level) => rows.some((row) => row.level === level)).map((level) => [level, levelColour(level)])),
        Plot.plot(
          base(width, {
            height: 240,
            x: time,
            y: whole("plays"),
            color: levelScale,
            marks: [
              Plot.rectY(rows, {
                x: "day", y: "plays", fill: "level", interval: "day", order: levels, inset: rows.length > 240 ? 0 : 0.5,
                tip: { format: { x: (day) => long.format(day), y: (plays) => number.format(plays) } },
              }),
              Plot.ruleY([0], { stroke: "var(--line)" }),
            ],
          }),
        ),
      ];
    },

    levels({ records }, width) {
      const total = sum(records, (row) => row.plays);
      const rows = records.map((row) => ({ name: named(row.level), value: row.plays, each: row.plays_per_listener }));
      return [
        bars(width, rows, {
          colour: (row) => levelColour(row.name),
          note: (row) => ` plays · ${percent.format(row.value / total)} · ${number.format(Math.round(row.each))} a listener`,
        }),
      ];
    },

    hours({ records, also }, width) {
      if (!filter.from && !filter.to) return heat(records.filter((row) => ofLevel(row.level)), width, "UTC");
      const hours = also.columns.slice(2).map(Number);
      const rows = also.rows.filter(([day, level]) => within(day) && ofLevel(level)).flatMap(([day, , ...cells]) =>
        cells.map((plays, place) => ({ weekday: date(day).getUTCDay(), hour: hours[place], plays })),
      );
      return heat(rows, width, "UTC");
    },

    local_hours({ records }, width) {
      const chosen = records.filter((row) => ofLevel(row.level));
      const unknown = sum(chosen.filter((row) => row.weekday === null), (row) => row.plays);
      const drawn = heat(chosen.filter((row) => row.weekday !== null), width, "local time");
      if (!unknown || !drawn.length) return drawn;
      return [...drawn, said(`${number.format(unknown)} plays are of places without a known time zone.`)];
    },

    level_changes({ records }, width) {
      const ways = [["free_to_paid", "free to paid", "var(--paid)"], ["paid_to_free", "paid to free", "var(--free)"]];
      const rows = records.filter((row) => within(row.day)).flatMap((row) =>
        ways.map(([name, way]) => ({ day: date(row.day), way, changes: row[name] })),
      );
      if (!rows.length) return [];
      return [
        legend(ways.map(([, way, colour]) => [way, colour])),
        Plot.plot(
          base(width, {
            height: 220,
            marginTop: 24,
            x: time,
            y: whole("changes"),
            color: { domain: ways.map(([, way]) => way), range: ways.map(([, , colour]) => colour) },
            marks: [
              Plot.rectY(rows, {
                x: "day", y: "changes", fill: "way", interval: "day", inset: rows.length > 240 ? 0 : 0.5,
                tip: { format: { x: (day) => long.format(day), y: (changes) => number.format(changes) } },
              }),
              Plot.ruleY([0], { stroke: "var(--line)" }),
            ],
          }),
        ),
      ];
    },

    coverage_by_day({ records }, width) {
      const rows = records.filter((row) => within(row.day)).map((row) => ({ ...row, day: date(row.day) }));
      if (!rows.length) return [];
      return [
        Plot.plot(
          base(width, {
            height: 220,
            marginTop: 24,
            x: time,
            y: { label: "share of plays", grid: true, domain: [0, 1], ticks: 4, tickFormat: (share) => percent.format(share) },
            marks: [
              Plot.ruleY([0], { stroke: "var(--line)" }),
              Plot.lineY(rows, { x: "day", y: "share", stroke: "var(--third)", strokeWidth: 1.75 }),
              Plot.dot(rows.length < 40 ? rows : [], { x: "day", y: "share", fill: "var(--third)", r: 2.25 }),
              Plot.tip(rows, Plot.pointerX({
                x: "day", y: "share",
                title: (row) => `${long.format(row.day)}\n${percent.format(row.share)} found\n${number.format(row.matched)} of ${number.format(row.plays)} plays`,
              })),
            ],
          }),
        ),
      ];
    },

    activity_by_week({ records }, width) {
      const rows = records.map((row) => ({ ...row, week: date(row.week) }));
      return [
        legend([["people", "var(--accent)"], ["of them new", "var(--second)"]]),
        Plot.plot(
          base(width, {
            height: 220,
            x: weekly(rows.map((row) => row.week)),
            y: whole("people"),
            marks: [
              Plot.rectY(rows, { x: "week", y: "people", interval: d3.utcMonday, fill: "var(--accent)", inset: 1 }),
              Plot.rectY(rows, { x: "week", y: "new_people", interval: d3.utcMonday, fill: "var(--second)", inset: 1 }),
              Plot.ruleY([0], { stroke: "var(--line)" }),
              Plot.tip(rows, Plot.pointerX({
                x: (row) => new Date(+row.week + 3.5 * DAY), y: "people",
                title: (row) => `week of ${long.format(row.week)}\n${number.format(row.people)} people\n${number.format(row.new_people)} new\n${number.format(row.plays)} plays`,
              })),
            ],
          }),
        ),
      ];
    },

    activity_by_month({ records }, width) {
      const month = d3.utcFormat("%b %Y");
      const rows = records.slice(-12).map((row) => ({
        name: month(date(row.month)), value: row.people, daily: row.mean_daily_people, stickiness: row.stickiness,
      }));
      return [
        bars(width, rows, {
          note: (row) => ` people · ${number.format(Math.round(row.daily))} a day · ${percent.format(row.stickiness)}`,
        }),
      ];
    },

    retention({ records }, width) {
      const found = records.filter((row) => row.cohort_by === "first_event");
      if (!found.length) return [];
      const people = new Map(found.map((row) => [`${row.cohort} ${row.weeks_later}`, row.people]));
      const cohorts = d3.groups(found, (row) => row.cohort).map(([cohort, group]) => [cohort, group[0].cohort_people]);
      const last = d3.utcMonday.floor(date(meta.last));
      const label = ([cohort, size]) => `${cohort} · ${number.format(size)}`;
      const rows = cohorts.flatMap(([cohort, size]) =>
        d3.range(0, Math.min(26, Math.round((last - date(cohort)) / (7 * DAY))) + 1).map((later) => {
          const there = people.get(`${cohort} ${later}`) ?? 0;
          return { label: label([cohort, size]), cohort, size, later, there, share: there / size };
        }),
      );
      const most = d3.max(rows, (row) => row.later);
      const left = 138;
      const room = (width - left) / (most + 1);
      return [
        Plot.plot(
          base(width, {
            height: cohorts.length * 26 + 44,
            marginLeft: left,
            marginRight: 0,
            marginTop: 40,
            marginBottom: 4,
            x: { type: "band", domain: d3.range(most + 1), axis: "top", label: "first week · people there, and weeks later", labelAnchor: "left", labelOffset: 36, labelArrow: "none", tickSize: 0, padding: 0.06, tickFormat: (later) => (room < 20 && later % 4 ? "" : later) },
            y: { type: "band", domain: cohorts.map(label), label: null, tickSize: 0, padding: 0.1 },
            marks: [
              Plot.cell(rows, {
                x: "later", y: "label", fill: "var(--accent)", fillOpacity: { value: (row) => shade(0.5 * row.share), scale: null }, rx: 3,
                title: (row) => `first seen in the week of ${row.cohort}\n${number.format(row.there)} of ${number.format(row.size)} there ${row.later} weeks later`, tip: true,
              }),
              Plot.text(room < 34 ? [] : rows, {
                x: "later", y: "label", text: (row) => percent.format(row.share), fontSize: 11,
                fill: "var(--ink)", pointerEvents: "none",
              }),
            ],
          }),
        ),
      ];
    },

    funnel({ records }, width) {
      const rows = records.map((row) => ({ name: row.page, value: row.events, people: row.people }));
      return [bars(width, rows, { note: (row) => ` times · ${number.format(row.people)} people` })];
    },

    coverage({ records }, width) {
      const total = sum(records, (row) => row.plays);
      const words = { exact: "exact", title_artist: "title and artist, another length" };
      const rows = records.map((row) => ({ name: words[row.song_match] ?? "not in the catalogue", value: row.plays, found: row.song_match }));
      return [
        bars(width, rows, {
          colour: (row) => (row.found === null ? "var(--second)" : "var(--third)"),
          note: (row) => ` · ${percent.format(row.value / total)}`,
        }),
      ];
    },

    top_songs: top(song),
    top_artists: top(artist),
    metros: top((row) => row.location),
    song_trends: trends(song),
    artist_trends: trends(artist),
    genders: byLevel("gender"),
    devices: byLevel("device"),
  };

  function draw(panel) {
    const width = panel.element.clientWidth - 2 * parseFloat(getComputedStyle(panel.element).paddingLeft);
    const title = panel.element.querySelector("h3").textContent;
    const drawn = CHARTS[panel.name](panel, Math.max(Math.floor(width), 240));
    for (const svg of drawn) {
      if (svg instanceof SVGSVGElement) {
        // One image with one name: its parts have none.
        for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", `${title}: chart of the table below`);
      }
    }
    if (!drawn.length) {
      drawn.push(said("Nothing with this filter."));
    }
    panel.figure.replaceChildren(...drawn);
    panel.figure.hidden = false;
  }

  // Tiles of what adds up, or is meant by the day.
  const tiles = Object.fromEntries(
    [...document.querySelectorAll("[data-tile]")].map((tile) => {
      const [label, value] = [tile.querySelector("dt"), tile.querySelector("dd")];
      return [tile.dataset.tile, { label, value, all: [label.textContent, value.textContent] }];
    }),
  );
  function say(tile, label, value) {
    tile.label.textContent = label;
    tile.value.textContent = value;
  }

  function tell() {
    const filtered = Boolean(filter.from || filter.to || filter.level !== null);
    document.documentElement.classList.toggle("filtered", filtered);
    const chosen = document.getElementById("chosen");
    if (!filtered) {
      for (const tile of Object.values(tiles)) say(tile, ...tile.all);
      chosen.textContent = "";
      return;
    }
    const ofDays = recordsOf("levels_by_day").filter((row) => within(row.day) && ofLevel(row.level));
    const plays = sum(ofDays, (row) => row.plays);
    const daily = filter.level === null ? recordsOf("activity_by_day").filter((row) => within(row.day)) : ofDays;
    const listeners = daily.length ? sum(daily, (row) => row.listeners) / new Set(daily.map((row) => row.day)).size : 0;
    say(tiles.plays, "plays, filtered", number.format(plays));
    say(tiles.listeners, "listeners a day, mean", number.format(Math.round(listeners)));
    chosen.textContent = `${number.format(plays)} plays chosen`;
  }

  function refresh() {
    tell();
    for (const panel of panels) if (panel.element.dataset.follows) draw(panel);
  }

  function listen() {
    const form = document.getElementById("filter");
    const [from, to, level] = ["from", "to", "level"].map((id) => document.getElementById(id));
    for (const [text, value] of [["all", ""], ...levels.map((each, place) => [each, String(place)])]) level.add(new Option(text, value));
    const show = () => {
      [from.value, to.value] = [filter.from ?? meta.first, filter.to ?? meta.last];
    };
    for (const each of [from, to]) [each.min, each.max] = [meta.first, meta.last];
    show();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      filter.from = from.value > meta.first ? from.value : null;
      filter.to = to.value && to.value < meta.last ? to.value : null;
      filter.level = level.value === "" ? null : levels[Number(level.value)];
      refresh();
    });
    for (const button of form.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        const days = Number(button.dataset.days);
        const first = new Date(+date(meta.last) - (days - 1) * DAY).toISOString().slice(0, 10);
        [filter.from, filter.to] = [days && first > meta.first ? first : null, null];
        if (!days) [filter.level, level.value] = [null, ""];
        show();
        refresh();
      });
    }
    form.hidden = false;
  }

  panels.forEach(draw);
  for (const panel of panels) panel.element.querySelector(".numbers").open = false;
  document.documentElement.classList.add("drawn");
  if (meta.first && panels.length) listen();

  let width = innerWidth;
  let pending = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => panels.forEach(draw));
  });
})();
