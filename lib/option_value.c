#include "lib/option_value.h"

#include <stdlib.h>

struct unit {
	const char *name;
	uint64_t size;
};

/* Largest first. Times in milliseconds. */
static const struct unit time_units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};
static const struct unit size_units[] = {
	{ "T", 1ULL << 40 },
	{ "G", 1ULL << 30 },
	{ "M", 1ULL << 20 },
	{ "K", 1ULL << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

static bool
range_allows(const struct option *row, double value)
{
	if (row->min == 0 && row->max == 0)
		return true;
	return value >= row->min && (row->max == 0 || value <= row->max);
}

bool
option_value_allows(const struct option *row, size_t count)
{
	return range_allows(row, (double)count);
}

/* Digits only: no blanks, no sign, no octal. The end of the digits, or NULL. */
static const char *
digits_read(const char *text, uint64_t *value)
{
	const char *at = text;

	*value = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
			return NULL;
	return at == text ? NULL : at;
}

static bool
units_read(const struct unit *units, const char *text, uint64_t *value)
{
	const char *unit = digits_read(text, value);

	if (unit == NULL)
		return false;
	if (*unit == '\0' && *value == 0)
		return true;
	for (; units->name != NULL; units++)
		if (strcmp(units->name, unit) == 0)
			return !__builtin_mul_overflow(*value, units->size, value);
	return false;
}

static bool
bool_read(const char *text, bool *value)
{
	static const char *const words[] = { "yes", "no", "true", "false", "on", "off", NULL };

	for (size_t i = 0; words[i] != NULL; i++)
		if (strcasecmp(words[i], text) == 0) {
			*value = i % 2 == 0;
			return true;
		}
	return false;
}

static bool
count_read(const char *text, uint32_t *value)
{
	uint64_t wide;
	const char *end = digits_read(text, &wide);

	if (end == NULL || *end != '\0' || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

/* Digits with a point and a minus, if any: no exponents, no "inf". */
static bool
number_read(const char *text, double *value)
{
	const char *whole = *text == '-' ? text + 1 : text;
	size_t digits = strspn(whole, "0123456789");
	size_t more = whole[digits] == '.' ? strspn(whole + digits + 1, "0123456789") : 0;
	const char *end = whole + digits + (whole[digits] == '.' ? more + 1 : 0);

	if (digits == 0 || digits + more > 15 || *end != '\0' || end[-1] == '.')
		return false;
	*value = strtod(text, NULL);
	return true;
}

static bool
choice_read(const char *const *words, const char *text, uint32_t *value)
{
	for (*value = 0; words[*value] != NULL; ++*value)
		if (strcmp(words[*value], text) == 0)
			return true;
	return false;
}

static bool
time_read(const char *text, double *value)
{
	uint64_t milliseconds;

	if (!units_read(time_units, text, &milliseconds) || milliseconds > 1ULL << 53)
		return false;
	*value = (double)milliseconds / 1000;
	return true;
}

union any {
	bool yes;
	uint32_t count;
	double number;
	struct seconds seconds;
	struct bytes bytes;
	struct choice choice;
	const char *text;
};

static const size_t any_size[] = {
	[OPTION_BOOL] = sizeof(bool),
	[OPTION_COUNT] = sizeof(uint32_t),
	[OPTION_NUMBER] = sizeof(double),
	[OPTION_TIME] = sizeof(struct seconds),
	[OPTION_SIZE] = sizeof(struct bytes),
	[OPTION_CHOICE] = sizeof(struct choice),
	[OPTION_TEXT] = sizeof(const char *),
};

static bool
any_read(const struct option *row, const char *text, union any *any)
{
	if (row->kind == OPTION_BOOL)
		return bool_read(text, &any->yes);
	if (row->kind == OPTION_CHOICE)
		return choice_read(row->words, text, &any->choice.value);
	if (row->kind == OPTION_COUNT)
		return count_read(text, &any->count) && range_allows(row, any->count);
	if (row->kind == OPTION_NUMBER)
		return number_read(text, &any->number) && range_allows(row, any->number);
	if (row->kind == OPTION_TIME)
		return time_read(text, &any->seconds.value) &&
		    range_allows(row, any->seconds.value);
	if (row->kind == OPTION_SIZE)
		return units_read(size_units, text, &any->bytes.value) &&
		    range_allows(row, (double)any->bytes.value);
	any->text = text;
	return range_allows(row, (double)strlen(text));
}

bool
option_value_read(const struct option *row, const char *text, void *field)
{
	union any any;

	if (!any_read(row, text, &any))
		return false;
	memcpy(field, &any, any_size[row->kind]);
	return true;
}

const struct option *
option_value_row(const struct option *table, const char *word)
{
	const struct option *row = table;

	if (strncmp(word, "--", 2) != 0)
		return NULL;
	while (row->key != NULL && strcmp(row->key, word + 2) != 0)
		row++;
	return row->key != NULL ? row : NULL;
}

void
option_value_fallbacks(const struct option *table, void *section)
{
	for (const struct option *row = table; row->key != NULL; row++)
		if (row->fallback != NULL &&
		    !option_value_read(row, row->fallback, (char *)section + row->offset))
			abort();
}

static void
units_print(FILE *to, const struct unit *unit, uint64_t value)
{
	while (value % unit->size != 0)
		unit++;
	if (value == 0)
		fputc('0', to);
	else
		fprintf(to, "%llu%s", (unsigned long long)(value / unit->size), unit->name);
}

/* As few digits as are needed, and never an exponent: number_read() takes none. */
static void
number_print(FILE *to, double value)
{
	char text[400];
	int digits = 0;

	do
		snprintf(text, sizeof(text), "%.*f", digits, value);
	while (strtod(text, NULL) != value && ++digits <= 15);
	fputs(text, to);
}

/* A bound or a value of the row's kind. */
static void
amount_print(FILE *to, const struct option *row, double value)
{
	if (row->kind == OPTION_TIME)
		units_print(to, time_units, (uint64_t)(value * 1000 + 0.5));
	else if (row->kind == OPTION_SIZE)
		units_print(to, size_units, (uint64_t)value);
	else
		number_print(to, value);
}

void
option_value_print(FILE *to, const struct option *row, const void *field)
{
	if (row->kind == OPTION_BOOL)
		fputs(*(const bool *)field ? "yes" : "no", to);
	else if (row->kind == OPTION_CHOICE)
		fputs(row->words[((const struct choice *)field)->value], to);
	else if (row->kind == OPTION_COUNT)
		fprintf(to, "%u", (unsigned)*(const uint32_t *)field);
	else if (row->kind == OPTION_SIZE)
		units_print(to, size_units, ((const struct bytes *)field)->value);
	else if (row->kind == OPTION_TIME)
		amount_print(to, row, ((const struct seconds *)field)->value);
	else
		amount_print(to, row, *(const double *)field);
}

static void
words_print(FILE *to, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		const char *between = words[i + 1] == NULL ? " or " : ", ";

		fprintf(to, "%s%s", i == 0 ? "" : between, words[i]);
	}
}

/* Of texts the length, of lists the number of items. */
static void
range_print(FILE *to, const struct option *row)
{
	const char *noun = row->kind == OPTION_TEXT ? "byte" : "item";
	double last = row->max != 0 ? row->max : row->min;

	if (row->min == 0 && row->max == 0)
		return;
	if (row->max == 0)
		fputs(", at least ", to);
	else if (row->min == 0)
		fputs(", at most ", to);
	else
		fputs(", between ", to);
	if (row->min != 0 && row->max != 0) {
		amount_print(to, row, row->min);
		fputs(" and ", to);
	}
	amount_print(to, row, last);
	if (row->kind >= OPTION_TEXT)
		fprintf(to, " %s%s", noun, last == 1 ? "" : "s");
}

void
option_value_expected(FILE *to, const struct option *row)
{
	static const char *const kinds[] = {
		[OPTION_BOOL] = "yes or no",
		[OPTION_COUNT] = "a whole number",
		[OPTION_NUMBER] = "a number",
		[OPTION_TIME] = "a time such as 30s, 5m, 1h",
		[OPTION_SIZE] = "a size such as 256K, 25M",
		[OPTION_TEXT] = "a text",
		[OPTION_TEXTS] = "a text or a list of texts",
		[OPTION_IS_SECTION] = "a map",
		[OPTION_IS_MAYBE] = "a map",
		[OPTION_IS_LIST] = "a list of maps",
		[OPTION_IS_CUSTOM] = "another value",
	};

	if (row->kind == OPTION_CHOICE)
		words_print(to, row->words);
	else
		fputs(row->expected != NULL ? row->expected : kinds[row->kind], to);
	range_print(to, row);
}
