
"use strict";
/* What the pages share: elements made without a line of markup, a feed that is asked again and again, and how old it is. All
 * text reaches the page as text nodes and attributes, so that no name from outside can be markup, and with its invisible
 * characters made visible. */

const byId = id => document.getElementById(id);

/* Control characters, and those that turn the direction of a text or have no width: with them a name could look like another. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const visible = text => String(text).replace(INVISIBLE, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/* An element with these attributes and children (elements, or texts). */
function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
        if (value !== null && value !== undefined)
            element.setAttribute(name, visible(value));
    element.append(...children.filter(child => child !== null && child !== undefined).map(child => child instanceof Node ? child : visible(child)));
    return element;
}

/* Sets what is not so already: a screen reader reads what is set anew. */
function setText(element, text) {
    const shown = visible(text);
    if (element.textContent !== shown)
        element.textContent = shown;
}

function setClass(element, name) {
    if (element.className !== name)
        element.className = name;
}

/* A text in which what stands in back quotes is a command or an option. */
function withCode(text) {
    return text.split("`").map((part, i) => i % 2 ? make("code", null, part) : part);
}

/* Keeps the children of `list` as `items` say: `key` gives what an item is known by, `create` an element for a new one, `update`
 * makes it right. Elements stay, and with them the focus and what is folded open. Of two items with one key each has its element. */
function keepList(list, items, key, create, update) {
    const known = new Map(Array.from(list.children, child => [child.dataset.key, child]));
    const kept = new Set();
    let place = list.firstElementChild;
    for (const item of items) {
        const name = key(item);
        let element = known.get(name);
        if (element) {
            known.delete(name);
        } else {
            element = create(item);
            element.dataset.key = name;
        }
        if (element === place)
            place = place.nextElementSibling;
        else
            list.insertBefore(element, place);
        update(element, item);
        kept.add(element);
    }
    for (const element of Array.from(list.children).filter(child => !kept.has(child)))
        element.remove();
}

/* The names by which things are shown as squares, one for each unit, or as a bar where they are many. `parts`: [class, units]. */
const MOST_SQUARES = 64;
function showSlots(slots, parts, total) {
    const bar = total > MOST_SQUARES || slots.dataset.bar;
    const wanted = bar ? parts.filter(([, units]) => units > 0) : parts.flatMap(([name, units]) => Array(units).fill([name, 1]));
    setClass(slots, bar ? "slots bar" : "slots");
    while (slots.children.length > wanted.length)
        slots.lastElementChild.remove();
    while (slots.children.length < wanted.length)
        slots.append(make("i"));
    wanted.forEach(([name, units], i) => {
        setClass(slots.children[i], name);
        slots.children[i].style.flexBasis = bar ? `${100 * units / total}%` : "";
    });
}

const clockTime = date => date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit"});

const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

const FEED_INTERVAL = 5000; /* milliseconds */
const FEED_PATIENCE = 10000;

async function askFeed(query) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), FEED_PATIENCE);
    try {
        const reply = await fetch("status.json" + (query || ""), {signal: abort.signal, cache: "no-store", credentials: "same-origin"});
        if (!reply.ok)
            throw new Error(`the answer has status ${reply.status}`);
        return await reply.json();
    } finally {
        clearTimeout(timer);
    }
}

/* Calls load() again and again, and show() with what it gives. #state has the headline and #lost says since when there is no
 * answer: then nothing on the page is called well. `headline` gives the text and the class for what was loaded. */
function followFeed(load, show, headline) {
    let data = null, came = null, cameAt = 0, wrong = "", took = 0;
    const isLost = () => data === null ? wrong !== "" : wrong !== "" || performance.now() - cameAt > 3 * (FEED_INTERVAL + FEED_PATIENCE) + 11 * took;

    function tell() {
        const lost = isLost();
        const [text, tone] = lost ? ["unknown", "bad"] : data === null ? ["waiting for an answer", ""] : headline(data);
        document.body.dataset.feed = lost ? "lost" : data === null ? "none" : "live";
        setText(byId("state"), text);
        setClass(byId("state"), `word ${tone}`);
        document.title = `${lost ? "? " : tone === "bad" ? "! " : ""}${byId("title").textContent}`;
        byId("lost").hidden = !lost;
        /* The time of the last answer, not its age: it is read aloud when it changes. */
        setText(byId("lost"), !lost ? "" : came === null ? `There is no answer yet: ${wrong}.`
            : `No answer since ${clockTime(came)}${wrong ? ` (${wrong})` : ""}. What is below is of then.`);
        setText(byId("updated"), came === null ? "not yet" : clockTime(came));
    }

    async function again() {
        const begun = performance.now();
        try {
            data = await load();
            came = new Date();
            cameAt = performance.now();
            wrong = "";
            show(data);
        } catch (error) {
            wrong = error.name === "AbortError" ? "it takes too long" : error instanceof TypeError ? "the server cannot be reached" : error.message;
        }
        took = performance.now() - begun;
        tell();
        /* What is much is asked for less often; what does not come is asked for as ever. */
        setTimeout(again, wrong ? FEED_INTERVAL : Math.max(FEED_INTERVAL, 10 * took));
    }
    setInterval(tell, 1000);
    tell();
    again();
}
