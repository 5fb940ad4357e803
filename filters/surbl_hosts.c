#include "filters/surbl.h"

#include "lib/json.h"
#include "lib/public_suffix.h"

/* Ranks: what a click or the mere opening leads to comes first. */
enum { RANK_LINK, RANK_FORM, RANK_SOURCE, RANK_TEXT, RANK_NESTED, RANK_VAGUE, RANK_MAIL };

/* What counts wherever it was seen; other marks are those of the most telling place. */
static const unsigned int surbl_strong = URI_REDIRECTS | URI_HAS_USER | URI_MISLEADS;

static uint8_t
surbl_rank(const struct uri *uri)
{
	static const uint8_t ranks[] = {
		[URI_IN_LINK] = RANK_LINK,
		[URI_IN_FORM] = RANK_FORM,
		[URI_IN_REFRESH] = RANK_FORM,
		[URI_IN_SOURCE] = RANK_SOURCE,
		[URI_IN_STYLE] = RANK_SOURCE,
		[URI_IN_TEXT] = RANK_TEXT,
		[URI_IN_HEADER] = RANK_MAIL,
	};

	if (uri->flags & URI_IS_MAIL)
		return RANK_MAIL;
	if (uri->flags & (URI_IS_FILE | URI_IS_JOINED | URI_IS_HIDDEN))
		return RANK_VAGUE;
	return uri->flags & URI_IS_NESTED ? RANK_NESTED : ranks[uri->where];
}

/* FNV-1a: whom it fails for does but compare more. */
static uint32_t
surbl_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

/* With one label more for each level that strangers have names below. */
static const char *
surbl_registered(const struct surbl_sets *sets, const char *name)
{
	const char *base = public_suffix_registered(name);

	while (base != NULL && base > name && name_set_has(&sets->levels, base)) {
		const char *dot = base - 1;

		for (base = dot; base > name && base[-1] != '.';)
			base--;
	}
	return base;
}

/* Addresses of one's own network, of no network, of groups. */
static bool
surbl_is_private(const struct ip *ip)
{
	static const char *const nets[] = { "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8",
		"169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3", "::/127",
		"fc00::/7", "fe80::/10", "ff00::/8" };

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		struct network network;

		if (network_read(&network, slice_of(nets[i]), NULL) && network_has(&network, ip))
			return true;
	}
	return false;
}

static bool
surbl_is_no_name(const struct host_form *form)
{
	size_t length = strlen(form->text);

	if (form->kind != HOST_NAME)
		return surbl_is_private(&form->ip);
	return !uri_has_top(form) || (length > 5 && strcmp(form->text + length - 5, ".arpa") == 0);
}

static char *
surbl_copy(struct arena *arena, struct slice text)
{
	if (text.length > SURBL_URI_MOST)
		text.length = SURBL_URI_MOST;
	return arena_copy(arena, text);
}

/* A place in the table: a new one, or that of the least telling host if it tells less than this
 * rank; so that nobody hides a link behind a heap of names. NULL: there is none. */
static struct surbl_host **
surbl_hosts_place(struct surbl_hosts *hosts, uint8_t rank)
{
	struct surbl_host **least = NULL;

	if (hosts->item == NULL)
		hosts->item = arena_alloc(hosts->arena, SURBL_HOSTS_MOST * sizeof(*hosts->item));
	if (hosts->count < SURBL_HOSTS_MOST)
		return &hosts->item[hosts->count++];
	hosts->is_full = true;
	for (size_t i = 0; i < hosts->count; i++)
		if (!hosts->item[i]->is_asked && hosts->item[i]->rank > rank &&
		    (least == NULL || hosts->item[i]->rank >= (*least)->rank))
			least = &hosts->item[i];
	return least;
}

static struct surbl_host *
surbl_hosts_new(
    struct surbl_hosts *hosts, const struct uri *uri, uint32_t hash, struct surbl_host **place)
{
	struct surbl_host *host = arena_alloc(hosts->arena, sizeof(*host));
	const char *registered = NULL;

	*place = host;
	host->name = arena_strdup(hosts->arena, uri->host.text);
	host->kind = uri->host.kind;
	host->ip = uri->host.ip;
	host->hash = hash;
	host->rank = UINT8_MAX;
	if (host->kind == HOST_NAME)
		registered = surbl_registered(hosts->sets, host->name);
	host->registered = registered != NULL ? registered : host->name;
	host->is_no_name =
	    surbl_is_no_name(&uri->host) || (host->kind == HOST_NAME && registered == NULL);
	host->is_never = name_set_covers(&hosts->sets->never, host->name);
	host->is_shortener = name_set_has(&hosts->sets->shorteners, host->name) ||
	    name_set_has(&hosts->sets->shorteners, host->registered);
	return host;
}

struct surbl_host *
surbl_hosts_add(struct surbl_hosts *hosts, const struct uri *uri, const char *part)
{
	uint32_t hash = surbl_hash(uri->host.text);
	struct surbl_host *host = NULL;
	uint8_t rank = surbl_rank(uri);

	if (hosts->found == SURBL_FOUND_MOST) {
		hosts->is_full = true;
		return NULL;
	}
	hosts->found++;
	for (size_t i = 0; i < hosts->count && host == NULL; i++)
		if (hosts->item[i]->hash == hash &&
		    strcmp(hosts->item[i]->name, uri->host.text) == 0)
			host = hosts->item[i];
	if (host == NULL) {
		struct surbl_host **place = surbl_hosts_place(hosts, rank);

		if (place == NULL)
			return NULL;
		host = surbl_hosts_new(hosts, uri, hash, place);
	}
	if (rank < host->rank) {
		host->rank = rank;
		host->flags = (host->flags & surbl_strong) | (uri->flags & ~surbl_strong);
		host->where = uri->where;
		host->uri = surbl_copy(hosts->arena, uri->text);
		host->part = arena_strdup(hosts->arena, part);
	}
	host->flags |= uri->flags & surbl_strong;
	host->disguise |= uri->host.flags;
	return host;
}

/* ---- whom to ask about ---- */

static bool
surbl_is_open(const struct surbl_host *host)
{
	return !host->is_asked && !host->is_no_name && !host->is_never;
}

static bool
surbl_hosts_knows(const struct surbl_hosts *hosts, const struct surbl_host *host)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->item[i]->is_asked &&
		    strcmp(hosts->item[i]->registered, host->registered) == 0)
			return true;
	return false;
}

/* Half of the places are kept for links as long as some may still come. */
bool
surbl_hosts_is_urgent(const struct surbl_hosts *hosts, const struct surbl_host *host, size_t most)
{
	if (!surbl_is_open(host) || host->rank > RANK_TEXT)
		return false;
	return hosts->asked < (host->rank == RANK_TEXT ? most / 2 : most) &&
	    !surbl_hosts_knows(hosts, host);
}

struct surbl_host *
surbl_hosts_next(const struct surbl_hosts *hosts, size_t most)
{
	struct surbl_host *best = NULL;
	bool best_is_known = false;

	for (size_t i = 0; i < hosts->count && hosts->asked < most; i++) {
		struct surbl_host *host = hosts->item[i];

		if (!surbl_is_open(host))
			continue;
		bool is_known = surbl_hosts_knows(hosts, host);

		if (best != NULL &&
		    (is_known != best_is_known ? is_known : host->rank >= best->rank))
			continue;
		best = host;
		best_is_known = is_known;
	}
	return best;
}

bool
surbl_hosts_has_more(const struct surbl_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (surbl_is_open(hosts->item[i]))
			return true;
	return hosts->is_full;
}

/* ---- for explain ---- */

static void
surbl_put_flags(struct json *json, const struct surbl_host *host)
{
	static const struct {
		unsigned int flag;
		const char *word;
	} words[] = { { URI_IS_BARE, "bare" }, { URI_IS_FILE, "file" }, { URI_IS_MAIL, "mail" },
		{ URI_IS_NESTED, "nested" }, { URI_REDIRECTS, "redirector" },
		{ URI_HAS_USER, "user" }, { URI_IS_JOINED, "broken" }, { URI_IS_HIDDEN, "hidden" },
		{ URI_MISLEADS, "misleading" }, { URI_IS_BASE, "base" } };

	json_open_array(json_key(json, "marks"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (host->flags & words[i].flag)
			json_text(json, words[i].word);
	if (host->disguise & (HOST_IS_DISGUISED | HOST_IS_WIDE | HOST_IS_ESCAPED))
		json_text(json, "disguised");
	if (host->disguise & HOST_IS_MIXED)
		json_text(json, "mixed");
	if (host->is_shortener)
		json_text(json, "shortener");
	json_close_array(json);
}

void
surbl_hosts_json(struct json *json, const struct surbl_hosts *hosts)
{
	json_open_array(json);
	for (size_t i = 0; i < hosts->count; i++) {
		const struct surbl_host *host = hosts->item[i];

		json_open_object(json);
		json_text(json_key(json, "host"), host->name);
		json_text(json_key(json, "registered"),
		    host->is_no_name || host->kind != HOST_NAME ? NULL : host->registered);
		json_text(json_key(json, "part"), host->part);
		json_text(json_key(json, "where"), uri_where_name(host->where));
		json_text(json_key(json, "uri"), host->uri);
		json_bool(json_key(json, "asked"), host->is_asked);
		surbl_put_flags(json, host);
		json_close_object(json);
	}
	json_close_array(json);
}
