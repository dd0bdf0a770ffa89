
/* The host's cards, the units of each, who has them, and what is not well: /status.json. */

const STATES = {ready: "used", in_use: "used", failed: "bad", pending: "warning", migrating: "warning", releasing: "warning"};
const stateKey = state => state.replace(/ /g, "_");
const isTroubled = gpu => gpu.health !== "ok" || !["active", "drained"].includes(gpu.service);

function serviceTone(gpu) {
    return gpu.service === null ? "" : gpu.service === "active" ? "good" : gpu.health !== "ok" ? "bad" : "warning";
}

/* [class, units], in the order in which they are shown. */
function partsOf(gpu, consumers) {
    const units = {used: 0, warning: 0, bad: 0};
    for (const consumer of consumers)
        units[STATES[stateKey(consumer.state)] || "used"] += consumer.units;
    const used = Math.min(gpu.used, gpu.total);
    const bad = Math.min(units.bad, used), warning = Math.min(units.warning, used - bad);
    const reserved = Math.min(gpu.reserved, gpu.total - used);
    return [["used", used - bad - warning], ["warning", warning], ["bad", bad], ["reserved", reserved], ["free", gpu.total - used - reserved]];
}

function createConsumer() {
    return make("tr", null, make("td", {class: "mono"}), make("td"), make("td", null, make("span", {class: "word"})), make("td"));
}

function updateConsumer(row, consumer) {
    const [uuid, units, state, note] = row.children;
    setText(uuid, consumer.consumer);
    setText(units, String(consumer.units));
    setText(state.firstElementChild, consumer.state);
    setClass(state.firstElementChild, `word ${{used: "good", warning: "warning", bad: "bad"}[STATES[stateKey(consumer.state)]] || ""}`);
    const guest = consumer.guest === null ? [] : [`guest: ${consumer.guest.replace(/_/g, " ")}`];
    setText(note, [...guest, consumer.guest_reason, consumer.reason].filter(text => text).join("; "));
}

function createCard(gpu) {
    const head = ["consumer", "units", "state", "note"].map(title => make("th", {scope: "col"}, title));
    return make("li", {class: "card"},
        make("div", {class: "head"}, make("h3", {class: "mono"}, gpu.gpu), make("span", {class: "word", "data-part": "service"}), make("span", {class: "word", "data-part": "health"})),
        make("p", {class: "faint", "data-part": "type"}),
        make("div", {class: "slots", role: "meter", "aria-label": `units of ${gpu.gpu}`, "aria-valuemin": "0"}),
        make("p", {"data-part": "numbers"}), make("p", {class: "faint", "data-part": "reason"}),
        make("details", null, make("summary"), make("table", null, make("caption", {class: "hidden"}, `Who has devices of ${gpu.gpu}`),
            make("thead", null, make("tr", null, ...head)), make("tbody"))));
}

function updateNumbers(card, gpu, consumers) {
    const slots = card.querySelector(".slots"), known = gpu.total !== null;
    const text = known ? `${gpu.used} of ${gpu.total} used, ${gpu.reserved} reserved` : "it is not known what is used";
    slots.hidden = !known || gpu.total === 0;
    if (known) {
        showSlots(slots, partsOf(gpu, consumers), gpu.total);
        slots.setAttribute("aria-valuemax", gpu.total);
        slots.setAttribute("aria-valuenow", Math.min(gpu.used, gpu.total));
        slots.setAttribute("aria-valuetext", text);
    }
    setText(card.querySelector("[data-part=numbers]"), text);
}

function updateCard(card, gpu, consumers) {
    const part = name => card.querySelector(`[data-part=${name}]`);
    setClass(card, gpu.health === "ok" ? "card" : "card bad");
    setText(part("service"), gpu.service === null ? "service not known" : gpu.service);
    setClass(part("service"), `word ${serviceTone(gpu)}`);
    setText(part("health"), gpu.health);
    part("health").hidden = gpu.health === "ok";
    setClass(part("health"), "word bad");
    setText(part("type"), [gpu.type, gpu.type_name, gpu.class, gpu.provider].filter(text => text).join(" · ") || "no type is configured");
    setText(part("reason"), gpu.reason || "");
    updateNumbers(card, gpu, consumers);
    const details = card.querySelector("details");
    details.hidden = consumers.length === 0;
    setText(details.querySelector("summary"), count(consumers.length, "consumer", "consumers"));
    keepList(details.querySelector("tbody"), consumers, c => `${c.consumer} ${c.provider} ${c.class}`, createConsumer, updateConsumer);
}

let shown = null;

function showCards() {
    const words = byId("search").value.trim().toLowerCase(), only = byId("only").checked;
    const of = new Map();
    for (const consumer of shown.consumers || [])
        of.set(consumer.gpu, [...(of.get(consumer.gpu) || []), consumer]);
    const mine = gpu => of.get(gpu.gpu) || [];
    const text = gpu => [gpu.gpu, gpu.provider, gpu.type, gpu.type_name, gpu.class, gpu.service, gpu.health, gpu.reason,
        ...mine(gpu).flatMap(c => [c.consumer, c.state, ...c.mdevs])].join(" ").toLowerCase();
    const troubled = gpu => isTroubled(gpu) || mine(gpu).some(c => STATES[stateKey(c.state)] === "bad");
    const wanted = shown.gpus.filter(gpu => (!only || troubled(gpu)) && (!words || text(gpu).includes(words)));
    keepList(byId("cards"), wanted, gpu => `${gpu.gpu} ${gpu.provider}`, createCard, (card, gpu) => updateCard(card, gpu, mine(gpu)));
    setText(byId("found"), words || only ? `${wanted.length} of ${count(shown.gpus.length, "card", "cards")}` : count(shown.gpus.length, "card", "cards"));
}

/* "2 in use, 1 pending"; null stands for what is not known. */
function counts(object) {
    const entries = Object.entries(object).filter(([, n]) => n !== 0);
    if (entries.some(([, n]) => n === null))
        return "not known";
    return entries.map(([name, n]) => `${n} ${name.replace(/_/g, " ")}`).join(", ") || "none";
}

/* A time of the feed, in seconds, as this browser's clock has it: theirs may differ. */
const timeOf = (data, seconds) => clockTime(new Date(Date.now() - 1000 * (data.time - seconds)));

function show(data) {
    shown = data;
    setText(byId("title"), data.host || "vgpu-agent");
    setText(byId("mode"), data.mode);
    setText(byId("version"), data.version);
    setText(byId("cycle"), data.daemon_silent_seconds === null ? "none has ended yet" : timeOf(data, data.time - data.daemon_silent_seconds));
    setText(byId("allocations"), counts(data.allocations));
    setText(byId("guests"), counts(data.guests));
    const problems = [...data.problems];
    if (data.overdue)
        problems.unshift("the daemon hangs: its next cycle is long overdue");
    if (!data.current)
        problems.push(data.seen === null ? "host or Placement could not be read yet"
            : `allocations are as they were at ${timeOf(data, data.seen)}: host or Placement cannot be read now`);
    byId("problems-part").hidden = problems.length === 0;
    keepList(byId("problems"), problems, text => text, text => make("li", null, ...withCode(text)), () => null);
    showCards();
}

function headline(data) {
    if (data.well)
        return ["all is well", "good"];
    if (data.seen === null)
        return ["not known yet", "warning"];
    return [data.problems.length ? `not well: ${count(data.problems.length, "problem", "problems")}` : "not well", "bad"];
}

byId("search").addEventListener("input", () => shown && showCards());
byId("only").addEventListener("change", () => shown && showCards());
followFeed(() => askFeed(), show, headline);
