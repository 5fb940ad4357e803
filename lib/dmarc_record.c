#include "lib/dmarc_record.h"

#include <ctype.h>

static bool
dmarc_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What stands before the next `separator`; *rest moves behind it. False: nothing is left. */
static bool
dmarc_next(struct slice *rest, char separator, struct slice *part)
{
	if (rest->data == NULL)
		return false;
	const char *end = rest->length > 0 ? memchr(rest->data, separator, rest->length) : NULL;

	*part = *rest;
	if (end == NULL) {
		*rest = (struct slice) { NULL, 0 };
		return true;
	}
	part->length = (size_t)(end - rest->data);
	*rest = (struct slice) { end + 1, rest->length - part->length - 1 };
	return true;
}

/* ---- values ---- */

const char *
dmarc_policy_word(enum dmarc_policy policy)
{
	static const char *const words[] = { "", "none", "quarantine", "reject" };

	return words[policy];
}

enum dmarc_policy
dmarc_policy_tested(enum dmarc_policy policy)
{
	return policy == DMARC_REJECT    ? DMARC_QUARANTINE
	    : policy == DMARC_QUARANTINE ? DMARC_NONE
					 : policy;
}

/* false: not one of the three words. */
static bool
dmarc_read_policy(struct slice value, enum dmarc_policy *policy)
{
	for (enum dmarc_policy p = DMARC_NONE; p <= DMARC_REJECT; p++)
		if (slice_matches(value, dmarc_policy_word(p))) {
			*policy = p;
			return true;
		}
	return false;
}

/* "!" and digits and perhaps a unit at the end: obsolete, and left out (4.8). */
static struct slice
dmarc_cut_size(struct slice uri)
{
	const char *mark = memrchr(uri.data, '!', uri.length);
	size_t digits = 0;

	if (mark == NULL)
		return uri;
	struct slice size = { mark + 1, (size_t)(uri.data + uri.length - mark) - 1 };

	while (digits < size.length && isdigit((unsigned char)size.data[digits]))
		digits++;
	bool has_unit = digits + 1 == size.length && strchr("kmgt", tolower(size.data[digits]));

	if (digits > 0 && (digits == size.length || has_unit))
		uri.length = (size_t)(mark - uri.data);
	return uri;
}

/* RFC 3986 3: a scheme, a colon, something; of its characters no "!" and no comma (4.8). */
static bool
dmarc_is_uri(struct slice uri)
{
	size_t scheme = 0;

	while (scheme < uri.length &&
	    (isalnum((unsigned char)uri.data[scheme]) ||
		(uri.data[scheme] != '\0' && strchr("+-.", uri.data[scheme]) != NULL)))
		scheme++;
	if (scheme == 0 || !isalpha((unsigned char)uri.data[0]) || scheme + 1 >= uri.length ||
	    uri.data[scheme] != ':')
		return false;
	for (size_t i = scheme; i < uri.length; i++)
		if (uri.data[i] <= ' ' || uri.data[i] > '~' || strchr("!\"<>\\^`{|}", uri.data[i]))
			return false;
	return true;
}

static void
dmarc_read_uris(struct slice value, struct dmarc_uris *uris)
{
	struct slice part;

	while (dmarc_next(&value, ',', &part)) {
		part = dmarc_cut_size(slice_trim(part, dmarc_is_blank));
		if (dmarc_is_uri(part) && uris->count < DMARC_URIS_MOST)
			uris->uri[uris->count++] = part;
	}
}

/* 0, 1, d, s between colons, each once, not 0 and 1 together. */
static bool
dmarc_is_fo(struct slice value)
{
	static const char letters[] = "01ds";
	unsigned seen = 0;
	struct slice part;

	while (dmarc_next(&value, ':', &part)) {
		part = slice_trim(part, dmarc_is_blank);
		const char *letter = part.length == 1 && part.data[0] != '\0'
		    ? strchr(letters, tolower((unsigned char)part.data[0]))
		    : NULL;

		if (letter == NULL || seen & 1u << (letter - letters))
			return false;
		seen |= 1u << (letter - letters);
	}
	return (seen & 3) != 3;
}

/* ---- tags ---- */

struct dmarc_reading {
	struct dmarc_record *record;
	bool has_bad_policy; /* p, sp or np is wrong */
};

static void
dmarc_tag_p(struct dmarc_reading *reading, struct slice value)
{
	reading->has_bad_policy |= !dmarc_read_policy(value, &reading->record->p);
}

static void
dmarc_tag_sp(struct dmarc_reading *reading, struct slice value)
{
	reading->has_bad_policy |= !dmarc_read_policy(value, &reading->record->sp);
}

static void
dmarc_tag_np(struct dmarc_reading *reading, struct slice value)
{
	reading->has_bad_policy |= !dmarc_read_policy(value, &reading->record->np);
}

static void
dmarc_tag_adkim(struct dmarc_reading *reading, struct slice value)
{
	reading->record->adkim_is_strict = slice_matches(value, "s");
}

static void
dmarc_tag_aspf(struct dmarc_reading *reading, struct slice value)
{
	reading->record->aspf_is_strict = slice_matches(value, "s");
}

static void
dmarc_tag_t(struct dmarc_reading *reading, struct slice value)
{
	reading->record->is_testing = slice_matches(value, "y");
}

static void
dmarc_tag_psd(struct dmarc_reading *reading, struct slice value)
{
	if (slice_matches(value, "y"))
		reading->record->psd = DMARC_PSD_YES;
	if (slice_matches(value, "n"))
		reading->record->psd = DMARC_PSD_NO;
}

static void
dmarc_tag_fo(struct dmarc_reading *reading, struct slice value)
{
	if (dmarc_is_fo(value))
		reading->record->fo = value;
}

static void
dmarc_tag_rua(struct dmarc_reading *reading, struct slice value)
{
	dmarc_read_uris(value, &reading->record->rua);
}

static void
dmarc_tag_ruf(struct dmarc_reading *reading, struct slice value)
{
	dmarc_read_uris(value, &reading->record->ruf);
}

static const struct dmarc_tag {
	const char *name;
	void (*read)(struct dmarc_reading *reading, struct slice value);
} dmarc_tags[] = {
	{ "p", dmarc_tag_p },
	{ "sp", dmarc_tag_sp },
	{ "np", dmarc_tag_np },
	{ "adkim", dmarc_tag_adkim },
	{ "aspf", dmarc_tag_aspf },
	{ "t", dmarc_tag_t },
	{ "psd", dmarc_tag_psd },
	{ "fo", dmarc_tag_fo },
	{ "rua", dmarc_tag_rua },
	{ "ruf", dmarc_tag_ruf },
};

enum { TAGS = sizeof(dmarc_tags) / sizeof(dmarc_tags[0]) };

/* "name = value"; false: it has no equals sign. */
static bool
dmarc_split(struct slice part, struct slice *name, struct slice *value)
{
	const char *equals = part.length > 0 ? memchr(part.data, '=', part.length) : NULL;

	if (equals == NULL)
		return false;
	size_t length = (size_t)(equals - part.data);

	*name = slice_trim((struct slice) { part.data, length }, dmarc_is_blank);
	*value =
	    slice_trim((struct slice) { equals + 1, part.length - length - 1 }, dmarc_is_blank);
	return true;
}

/* false: a known tag stands there twice. */
static bool
dmarc_read_tag(struct dmarc_reading *reading, struct slice part, unsigned *seen)
{
	struct slice name, value;

	if (!dmarc_split(part, &name, &value))
		return true;
	for (unsigned i = 0; i < TAGS; i++) {
		if (!slice_matches(name, dmarc_tags[i].name))
			continue;
		if (*seen & 1u << i)
			return false;
		*seen |= 1u << i;
		dmarc_tags[i].read(reading, value);
	}
	return true;
}

enum dmarc_kind
dmarc_record_read(struct dmarc_record *record, struct slice text)
{
	struct dmarc_reading reading = { .record = record };
	struct slice part, name, value;
	unsigned seen = 0;

	*record = (struct dmarc_record) { .fo = slice_of("0") };
	if (text.length > DMARC_RECORD_MOST || !dmarc_next(&text, ';', &part) ||
	    !dmarc_split(part, &name, &value) || !slice_equals(name, slice_of("v")) ||
	    !slice_equals(value, slice_of("DMARC1")))
		return DMARC_DISCARD;
	while (dmarc_next(&text, ';', &part))
		if (!dmarc_read_tag(&reading, part, &seen))
			return DMARC_DISCARD;
	if (record->ruf.count == 0)
		record->fo = (struct slice) { "", 0 };
	if (!reading.has_bad_policy && record->p != DMARC_ABSENT)
		return DMARC_USABLE;
	record->p = DMARC_NONE;
	record->sp = record->np = DMARC_ABSENT;
	return record->rua.count > 0 ? DMARC_USABLE : DMARC_UNUSABLE;
}
