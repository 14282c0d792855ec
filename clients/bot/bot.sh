#!/bin/sh
# A vendor's bot in shell and jq: one event a line comes in, one answer a line goes out. Usage: bot.sh [CATALOGUE]
exec jq -n -c --unbuffered --slurpfile shop "${1:-$(dirname "$0")/catalogue.json}" '
	def day: .[:10] | strptime("%Y-%m-%d") | mktime;
	def within($wide): . == $wide or startswith($wide + ".");
	def in_time($wish): .delivery_days * 86400 + ($wish.at | day) <= ($wish.needed_by // "9999-12-31" | day);
	def affordable($wish): ($wish.budget == null)
		or (.currency == $wish.budget.currency and (.price | tonumber) <= ($wish.budget.max // "1e9" | tonumber));
	def as_wanted($wish): ($wish.condition // "any") as $wanted | $wanted == "any" or .condition == $wanted;
	def named_in($text): any(.words[]; . as $word | $text | ascii_downcase | contains($word));

	def offer: {type: "offer", price, currency, availability: "in_stock", delivery_days, origin, warranty_months,
		returns_days: 30, valid: "3d", needs: ["name", "address"], note: .name};
	# The dearest item that fits: the customer set the budget for a reason.
	def best($items; $why): if $items | length == 0 then {type: "pass", reason: $why}
		else $items | max_by(.price | tonumber) | offer end;

	def answer($wish; $text):
		[$shop[0].items[] | select(.category | within($wish.category))] as $ours
		| [$ours[] | select(in_time($wish) and affordable($wish) and as_wanted($wish))] as $good
		| if $ours | length == 0 then {type: "pass", reason: "not in our catalogue"}
		elif $shop[0].delivers_to | index($wish.region[:2]) | not then {type: "pass", reason: "we do not deliver there"}
		elif $text then best([$good[] | select(named_in($text))]; "nothing of that kind in stock")
		elif all($ours[]; .category != $wish.category) then {type: "details"}
		else best($good; "nothing within budget, time and condition") end;

	foreach inputs as $event ({}; if $event.type == "release" then .[$event.release] = $event else . end;
		.[$event.release // ""] as $wish
		| if $event.type == "release" then answer($wish; null) + {release: $event.release}
		elif $wish and ($event.type == "details" or $event.type == "answer") then
			answer($wish; $event.text) + {release: $event.release}
		else empty end)'
