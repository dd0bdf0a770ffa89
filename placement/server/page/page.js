
/* All providers as trees, and what is used of each resource class: /status.json, which comes in pieces. */

/* A tree in which something below the root was found is folded open where there are no more than so many. */
const MOST_OPEN = 20;

async function loadAll() {
    const providers = [];
    let piece = await askFeed();
    for (;;) {
        providers.push(...piece.providers);
        if (!piece.next)
            break;
        piece = await askFeed(piece.next.slice(piece.next.indexOf("?")));
    }
    return {...piece, providers};
}

/* ---- from the list to trees ---- */

function plant(providers) {
    const nodes = new Map(providers.map(provider => [provider.uuid, {provider, children: []}]));
    const roots = [];
    for (const node of nodes.values()) {
        /* A parent may have gone while the pieces came. */
        const parent = nodes.get(node.provider.parent);
        (parent ? parent.children : roots).push(node);
    }
    const byName = (a, b) => a.provider.name.localeCompare(b.provider.name, undefined, {numeric: true});
    for (const node of nodes.values())
        node.children.sort(byName);
    return roots.sort(byName);
}

function addUp(into, inventories) {
    for (const [name, inventory] of Object.entries(inventories)) {
        const sum = into.get(name) || {total: 0, used: 0, reserved: 0, providers: 0};
        into.set(name, {total: sum.total + inventory.total, used: sum.used + inventory.used,
            reserved: sum.reserved + Math.min(inventory.reserved, inventory.total), providers: sum.providers + 1});
    }
    return into;
}

/* What the node and all below it have together, by class. */
function sumOf(node, into) {
    addUp(into, node.provider.inventories);
    for (const child of node.children)
        sumOf(child, into);
    return into;
}

const sizeOf = node => node.children.reduce((sum, child) => sum + 1 + sizeOf(child), 0);
const isOverFull = provider => Object.values(provider.inventories).some(i => i.used > i.total * i.allocation_ratio);
const isReserved = provider => Object.values(provider.inventories).some(i => i.total > 0 && i.reserved >= i.total);

/* ---- shown ---- */

function showBar(slots, amount) {
    const used = Math.min(amount.used, amount.total), reserved = Math.min(amount.reserved, amount.total - used);
    slots.dataset.bar = "yes";
    slots.hidden = amount.total === 0;
    showSlots(slots, [["used", used], ["reserved", reserved]], amount.total || 1);
    slots.setAttribute("aria-valuemax", amount.total);
    slots.setAttribute("aria-valuenow", used);
    slots.setAttribute("aria-valuetext", `${amount.used} of ${amount.total} used, ${amount.reserved} reserved`);
}

const makeBar = label => make("span", {class: "slots", role: "meter", "aria-label": label, "aria-valuemin": "0"});

function createClass([name]) {
    return make("tr", null, make("td", {class: "mono"}, name), make("td", null, makeBar(`units of ${name}`)), ...[0, 1, 2, 3].map(() => make("td")));
}

function updateClass(row, [, amount]) {
    const [, bar, ...numbers] = row.children;
    showBar(bar.firstElementChild, amount);
    [amount.used, amount.total, amount.reserved, amount.providers].forEach((number, i) => setText(numbers[i], String(number)));
}

function createAmount([name]) {
    return make("span", {class: "amount"}, make("span", {class: "mono"}, name), " ", makeBar(`units of ${name}`), " ", make("span"));
}

function updateAmount(element, [, amount]) {
    showBar(element.querySelector(".slots"), amount);
    setText(element.lastElementChild, `${amount.used} of ${amount.total}${amount.reserved ? `, ${amount.reserved} reserved` : ""}`);
}

/* With blanks between the parts: a summary is read as one text. */
function line(tag) {
    return make(tag, {class: "node"}, make("span", {class: "mono", "data-part": "name"}), " ", make("span", {"data-part": "amounts"}), " ",
        make("span", {class: "word", "data-part": "word"}), " ", make("span", {class: "faint", "data-part": "below"}));
}

function updateLine(element, node, amounts) {
    const part = name => element.querySelector(`[data-part=${name}]`);
    const {provider} = node, below = sizeOf(node);
    setText(part("name"), provider.name);
    part("name").title = visible(`${provider.uuid}, generation ${provider.generation}`);
    keepList(part("amounts"), [...amounts].slice(0, 4), ([name]) => name, createAmount, updateAmount);
    const overFull = isOverFull(provider), word = overFull ? "over-full" : isReserved(provider) ? "reserved" : "";
    setText(part("word"), word);
    part("word").hidden = !word;
    setClass(part("word"), `word ${overFull ? "bad" : "warning"}`);
    const more = provider.trait_count - provider.traits.length;
    setText(part("below"), [below ? `${below} below` : "", ...provider.traits, more > 0 ? `${count(more, "other trait", "other traits")}` : "",
        provider.inventory_count > Object.keys(provider.inventories).length ? `${provider.inventory_count} classes` : ""].filter(text => text).join(" · "));
}

function createNode(node) {
    if (node.children.length === 0)
        return make("li", null, line("div"));
    const list = make("ul"), details = make("details", null, line("summary"), list);
    const item = make("li", null, details);
    /* What nobody has folded open is not made. */
    details.addEventListener("toggle", () => details.open && item.showChildren());
    return item;
}

function updateNode(item, node) {
    const details = item.firstElementChild.tagName === "DETAILS" ? item.firstElementChild : null;
    updateLine(item.querySelector(".node"), node, details ? sumOf(node, new Map()) : Object.entries(node.provider.inventories));
    item.showChildren = () => keepNodes(details.querySelector("ul"), node.shown || node.children);
    if (!details)
        return;
    if (node.opened)
        details.open = true;
    if (details.open)
        item.showChildren();
}

/* One that has come to have children, or to have none, is another element. */
const keepNodes = (list, nodes) =>
    keepList(list, nodes, node => `${node.provider.uuid} ${node.children.length > 0}`, createNode, updateNode);

/* ---- search ---- */

function matches(node, words) {
    const {provider} = node;
    const text = [provider.name, provider.uuid, ...Object.keys(provider.inventories), ...provider.traits].join(" ").toLowerCase();
    return words.every(word => text.includes(word));
}

/* The number of providers at the node and below that were found; sets what of it is to be shown. */
function find(node, words) {
    const below = node.children.filter(child => find(child, words) > 0);
    const mine = words.length > 0 && matches(node, words) ? 1 : 0;
    node.shown = mine || !words.length ? node.children : below;
    node.found = mine + below.reduce((sum, child) => sum + child.found, 0);
    node.opened = words.length > 0 && below.length > 0;
    return node.found;
}

let shown = null;

function showTree() {
    const text = byId("search").value.trim().toLowerCase();
    const words = text ? text.split(/\s+/) : [];
    shown.roots.forEach(root => find(root, words));
    const roots = words.length ? shown.roots.filter(root => root.found) : shown.roots;
    if (roots.length > MOST_OPEN)
        roots.forEach(root => { root.opened = false; });
    keepNodes(byId("tree"), roots);
    const found = roots.reduce((sum, root) => sum + root.found, 0);
    setText(byId("found"), words.length ? `${count(found, "provider", "providers")} in ${count(roots.length, "tree", "trees")}` : count(roots.length, "tree", "trees"));
}

function show(data) {
    shown = {roots: plant(data.providers)};
    setText(byId("trees"), String(data.counts.trees));
    setText(byId("providers"), String(data.counts.providers));
    setText(byId("consumers"), String(data.counts.consumers));
    setText(byId("version"), data.version);
    const classes = data.providers.reduce((into, provider) => addUp(into, provider.inventories), new Map());
    keepList(byId("classes"), [...classes].sort(([a], [b]) => a < b ? -1 : 1), ([name]) => name, createClass, updateClass);
    const overFull = data.providers.filter(isOverFull).map(provider => `${provider.name}: more is allocated than its inventory has`);
    const problems = [...data.problems, ...overFull.slice(0, 20), ...overFull.length > 20 ? [`${overFull.length - 20} more providers are over-full`] : []];
    byId("problems-part").hidden = problems.length === 0;
    keepList(byId("problems"), problems, text => text, text => make("li", null, ...withCode(text)), () => null);
    showTree();
}

function headline(data) {
    return data.writable ? ["takes changes", "good"] : ["refuses changes", "bad"];
}

byId("search").addEventListener("input", () => shown && showTree());
followFeed(loadAll, show, headline);
