// Money, dates and durations as people write them. Not here: the words of the facets (values_words.c).
#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "limits.h"
#include "region.h"

enum { AMOUNT_DIGITS_MAX = 12, AMOUNT_DECIMALS_MAX = 4, DURATION_DIGITS_MAX = 15 };

// How many ASCII digits `text` begins with; isdigit would follow the locale.
static size_t digits_count(const char *text)
{
	size_t count = 0;
	while (text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

// The number of `count` digits, which the caller keeps small enough to fit.
static uint64_t digits_value(const char *text, size_t count)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return value;
}

// Reads an amount of exactly `count` characters.
static enum err amount_parse_part(const char *text, size_t count, int64_t *amount_e4)
{
	size_t whole = digits_count(text);
	if (whole == 0 || whole > AMOUNT_DIGITS_MAX || whole > count)
		return ERR_BAD_AMOUNT;
	uint64_t value = digits_value(text, whole) * 10000;
	if (whole < count) {
		size_t decimals = text[whole] == '.' ? digits_count(text + whole + 1) : 0;
		if (decimals == 0 || decimals > AMOUNT_DECIMALS_MAX || whole + 1 + decimals != count)
			return ERR_BAD_AMOUNT;
		uint64_t fraction = digits_value(text + whole + 1, decimals);
		for (size_t i = decimals; i < AMOUNT_DECIMALS_MAX; i++)
			fraction *= 10;
		value += fraction;
	}
	*amount_e4 = (int64_t)value;
	return ERR_OK;
}

enum err amount_parse(const char *text, int64_t *amount_e4)
{
	return amount_parse_part(text, strlen(text), amount_e4);
}

void amount_format(int64_t amount_e4, const char *currency, char out[32])
{
	uint64_t value = amount_e4 < 0 ? -(uint64_t)amount_e4 : (uint64_t)amount_e4;
	unsigned decimals = currency && currency[0] ? currency_decimals(currency) : 2;
	char fraction[AMOUNT_DECIMALS_MAX + 1];
	snprintf(fraction, sizeof fraction, "%04u", (unsigned)(value % 10000));
	unsigned needed = AMOUNT_DECIMALS_MAX;
	while (needed > 0 && fraction[needed - 1] == '0')
		needed--;
	if (decimals < needed)
		decimals = needed;
	fraction[decimals] = '\0';
	snprintf(out, 32, "%s%" PRIu64 "%s%s", amount_e4 < 0 ? "-" : "", value / 10000, decimals ? "." : "", fraction);
}

enum err amount_range_parse(const char *text, int64_t *min_e4, int64_t *max_e4)
{
	const char *dash = strchr(text, '-');
	if (!dash || strlen(text) == 1)
		return ERR_BAD_AMOUNT;
	int64_t min = 0, max = 0;
	enum err err = dash > text ? amount_parse_part(text, (size_t)(dash - text), &min) : ERR_OK;
	if (err)
		return err;
	if (dash[1]) {
		err = amount_parse(dash + 1, &max);
		if (err)
			return err;
		// An upper end of 0 would read as "no upper end" everywhere else.
		if (max == 0 || min > max)
			return ERR_BAD_AMOUNT;
	}
	*min_e4 = min;
	*max_e4 = max;
	return ERR_OK;
}

// The steps are 1, 2, 5, 10, 20, 50 ... ten-thousandths; this is the highest one not above `amount_e4`.
int64_t amount_band_down(int64_t amount_e4)
{
	static const int64_t factors[] = {5, 2, 1};
	if (amount_e4 <= 0)
		return 0;
	int64_t power = 1;
	while (amount_e4 / power >= 10)
		power *= 10;
	for (size_t i = 0; i < 3; i++)
		if (factors[i] * power <= amount_e4)
			return factors[i] * power;
	return 0;
}

int64_t amount_band_up(int64_t amount_e4)
{
	static const int64_t factors[] = {1, 2, 5};
	if (amount_e4 <= 0)
		return 0;
	int64_t power = 1;
	while (amount_e4 / power >= 10)
		power *= 10;
	for (size_t i = 0; i < 3; i++)
		if (factors[i] * power >= amount_e4)
			return factors[i] * power;
	// The step above 5e15 does not fit the protocol: the last band ends at the largest amount.
	return amount_e4 > AMOUNT_E4_MAX / 10 * 5 ? AMOUNT_E4_MAX : 10 * power;
}

// Days since 1970-01-01 of a day of the Gregorian calendar. Years are counted from March, so that the leap day is
// the last day of a year; an era is 400 years, 146,097 days.
static int64_t days_of_civil(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = year / 400, year_of_era = year % 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void civil_of_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = days / 146097, day_of_era = days % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (unsigned)((5 * day_of_year + 2) / 153);
	*day = (unsigned)day_of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = era * 400 + year_of_era + (*month <= 2);
}

enum err day_parse(const char *text, uint32_t *day)
{
	if (strlen(text) != 10 || digits_count(text) != 4 || text[4] != '-' || digits_count(text + 5) != 2 ||
	    text[7] != '-' || digits_count(text + 8) != 2)
		return ERR_BAD_DATE;
	int64_t year = (int64_t)digits_value(text, 4);
	unsigned month = (unsigned)digits_value(text + 5, 2), day_of_month = (unsigned)digits_value(text + 8, 2);
	if (year < 1970 || month < 1 || month > 12 || day_of_month < 1)
		return ERR_BAD_DATE;
	// A day that the calendar does not have, such as 02-30, comes back as another one.
	int64_t days = days_of_civil(year, month, day_of_month), year_back;
	unsigned month_back, day_back;
	civil_of_days(days, &year_back, &month_back, &day_back);
	if (year_back != year || month_back != month || day_back != day_of_month)
		return ERR_BAD_DATE;
	*day = (uint32_t)days;
	return ERR_OK;
}

void day_format(uint32_t day, char out[16])
{
	int64_t year;
	unsigned month, day_of_month;
	civil_of_days(day, &year, &month, &day_of_month);
	snprintf(out, 16, "%04" PRId64 "-%02u-%02u", year % 100000000, month % 100, day_of_month % 100);
}

static const struct {
	const char *word;
	uint64_t ms;
} duration_units[] = {{"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1}};
enum { DURATION_UNITS = sizeof duration_units / sizeof *duration_units };

enum err duration_parse(const char *text, uint64_t *ms)
{
	size_t digits = digits_count(text);
	if (digits == 0 || digits > DURATION_DIGITS_MAX)
		return ERR_BAD_DATE;
	uint64_t count = digits_value(text, digits);
	for (size_t i = 0; i < DURATION_UNITS; i++) {
		if (strcmp(text + digits, duration_units[i].word) != 0)
			continue;
		if (count > DURATION_MS_MAX / duration_units[i].ms)
			return ERR_BAD_DATE;
		*ms = count * duration_units[i].ms;
		return ERR_OK;
	}
	return ERR_BAD_DATE;
}

void duration_format(uint64_t ms, char out[24])
{
	size_t unit = 0;
	if (ms == 0)
		unit = 3;
	while (ms % duration_units[unit].ms != 0)
		unit++;
	snprintf(out, 24, "%" PRIu64 "%s", ms / duration_units[unit].ms, duration_units[unit].word);
}

void time_format(uint64_t ms, char out[32])
{
	int64_t year;
	unsigned month, day;
	civil_of_days((int64_t)(ms / DAY_MS), &year, &month, &day);
	unsigned hour = (unsigned)(ms / HOUR_MS % 24), minute = (unsigned)(ms / MINUTE_MS % 60);
	unsigned second = (unsigned)(ms / SECOND_MS % 60), millisecond = (unsigned)(ms % SECOND_MS);
	char fraction[8] = "";
	if (millisecond)
		snprintf(fraction, sizeof fraction, ".%03u", millisecond);
	snprintf(out, 32, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u%sZ", year % 1000000000, month % 100, day % 100, hour,
	         minute, second, fraction);
}

enum err text_check(const char *text, size_t bytes, size_t bytes_max)
{
	if (bytes > bytes_max)
		return ERR_TOO_LARGE;
	for (size_t at = 0; at < bytes;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t step =
		    utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &point);
		if (step <= 0 || point == 0)
			return ERR_BAD_UTF8;
		if (utf8proc_category(point) == UTF8PROC_CATEGORY_CC && point != '\t' && point != '\n')
			return ERR_BAD_VALUE;
		at += (size_t)step;
	}
	return ERR_OK;
}
