/* What must be opened: certificates, keys, authorities, the DNSSEC anchor. */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/tls_ticket.h"
#include "rules/config_draft.h"

enum { ANCHOR_MOST = 1024 * 1024 };

static const char anchor_auto[] = "auto";

/* The words stay until config_anchor_settle(). */
bool
config_anchor_read(struct option_reader *reader, const struct node *value, void *field)
{
	const char **anchor = field;

	if (value->kind != NODE_TEXT || value->text[0] == '\0')
		return false;
	*anchor = strcmp(value->text, anchor_auto) == 0 ? anchor_auto
	    : strcmp(value->text, "none") == 0          ? NULL
							: option_path(reader, value);
	return true;
}

/* A forwarder may be the one that validates, and its zones may be such as the root denies. */
void
config_anchor_settle(struct config *config, bool opens)
{
	bool is_wanted = opens && config->dns.servers.count == 0;

	if (config->dns.trust_anchor == anchor_auto)
		config->dns.trust_anchor =
		    is_wanted && access(CONFIG_ANCHOR, R_OK) == 0 ? CONFIG_ANCHOR : NULL;
}

static int
config_least(const struct config *config)
{
	return TLS1_VERSION + (int)config->tls.min_version.value;
}

/* Where the certificate of this index stands. */
static const struct node *
config_certificate_place(const struct config *config, size_t index)
{
	const struct node *tls = node_find(config->root, "tls");
	const struct node *list = node_find(tls, "certificates");
	const struct node *item = list;

	if (list != NULL && list->kind == NODE_LIST)
		for (item = list->child; item->next != NULL && index > 0; index--)
			item = item->next;
	return item != NULL ? item : config->root;
}

static void
config_server_context(struct option_reader *reader, struct config *config)
{
	size_t count = config->tls.certificates.count, culprit = 0;
	struct tls_pair *pairs = arena_alloc(reader->arena, (count + 1) * sizeof(*pairs));
	unsigned char tickets[TLS_TICKET_KEYS];
	const char *why = NULL;
	int done = RAND_bytes(tickets, sizeof(tickets));

	assert(done == 1);
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct tls_pair) { config->tls.certificates.item[i].cert,
			config->tls.certificates.item[i].key };
	config->tls_server = tls_server_new(reader->arena, pairs, count, config_least(config),
	    config->tls.ciphers, tickets, &why, &culprit);
	OPENSSL_cleanse(tickets, sizeof(tickets));
	if (config->tls_server == NULL)
		fault_add(reader->faults, config_certificate_place(config, culprit), "%s", why);
}

static void
config_client_context(struct option_reader *reader, struct config *config)
{
	const struct node *section = node_find(config->root, "tls");
	const struct node *ca = node_find(section, "ca");
	const struct node *backend = node_find(config->root, "backend");
	const struct node *tls = node_find(backend, "tls");
	const char *why = NULL;

	config->tls_client = tls_client_new(reader->arena, config->tls.ca,
	    config->backend.tls.value == BACKEND_TLS_VERIFY, config_least(config), &why);
	if (config->tls_client == NULL)
		fault_add(reader->faults, ca != NULL ? ca : tls != NULL ? tls : backend, "%s", why);
}

/* Each worker gives it to libunbound, which is too late to find that it cannot be read. */
static void
config_trust_anchor(struct option_reader *reader, const struct config *config)
{
	const struct node *section = node_find(config->root, "dns");
	struct arena *scratch = arena_new(SIZE_MAX);
	struct file file;

	if (!file_read(scratch, config->dns.trust_anchor, ANCHOR_MOST, &file))
		fault_add(reader->faults, node_find(section, "trust_anchor"),
		    "cannot read \"%s\": %s", config->dns.trust_anchor, file.fault);
	arena_free(scratch);
}

void
config_contexts(struct option_reader *reader, struct config_draft *draft)
{
	struct config *config = &draft->config;

	if (config->tls.certificates.count > 0)
		config_server_context(reader, config);
	if (config->backend.tls.value != BACKEND_TLS_OFF)
		config_client_context(reader, config);
	if (config->dns.trust_anchor != NULL)
		config_trust_anchor(reader, config);
}
