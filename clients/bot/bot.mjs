#!/usr/bin/env node
// A vendor's bot in Node: one event a line comes in, one answer a line goes out. Usage: bot.mjs [CATALOGUE]
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const shop = JSON.parse(readFileSync(process.argv[2] ?? new URL("catalogue.json", import.meta.url), "utf8"));
const wishes = new Map(); // by release

const within = (item, category) => item.category === category || item.category.startsWith(`${category}.`);
const inTime = (item, wish) =>
	!wish.needed_by || Date.parse(wish.at.slice(0, 10)) + item.delivery_days * 86400e3 <= Date.parse(wish.needed_by);
const affordable = (item, { budget }) =>
	!budget || (budget.currency === item.currency && Number(item.price) <= Number(budget.max ?? Infinity));

function answer(wish, text) {
	const ours = shop.items.filter((item) => within(item, wish.category));
	if (ours.length === 0) return { type: "pass", reason: "not our trade" };
	if (!shop.regions.some((region) => wish.region === region || wish.region === "FR"))
		return { type: "pass", reason: "too far away" };
	if (text === undefined) return { type: "details" }; // no price before we know what is broken
	const good = ours.filter((item) => inTime(item, wish) && affordable(item, wish));
	const job = good.find((item) => item.words.some((word) => text.toLowerCase().includes(word)))
		?? good.find((item) => item.words.length === 0); // a visit to have a look
	if (!job) return { type: "pass", reason: "no time, or not within budget" };
	const { price, currency, delivery_days, name } = job;
	return { type: "offer", price, currency, delivery_days, availability: "made_to_order", valid: "2d",
		needs: ["name", "address"], note: name };
}

for await (const line of createInterface({ input: process.stdin })) {
	const event = JSON.parse(line);
	if (event.type === "release") wishes.set(event.release, event);
	const wish = wishes.get(event.release);
	if (wish && ["release", "details", "answer"].includes(event.type))
		console.log(JSON.stringify({ ...answer(wish, event.text), release: event.release }));
	else if (event.type === "gone") wishes.delete(event.release);
}
