/* Addresses and hosts: where to listen, and who is behind. */
#include "rules/config_draft.h"
#include "rules/domain_pattern.h"

enum { SMTP_PORT = 25, SERVERS_MOST = 64 };

static bool
config_is_text(const struct node *value)
{
	return value->kind == NODE_TEXT && !node_is_empty(value);
}

/* The field is a listener's address; what it means goes to its neighbours. */
bool
config_address_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct config_listen *listen =
	    (void *)((char *)field - offsetof(struct config_listen, address));

	if (!config_is_text(value) || !endpoint_read(&listen->endpoint, slice_of(value->text)))
		return false;
	listen->address = arena_strdup(reader->arena, value->text);
	listen->is_any = listen->endpoint.ip.length == 0;
	return true;
}

bool
config_host_read(struct option_reader *reader, const struct node *value, void *field)
{
	if (!config_is_text(value) || !domain_pattern_is_name(slice_of(value->text)))
		return false;
	*(const char **)field = arena_strdup(reader->arena, value->text);
	return true;
}

/* "25": digits only. */
static bool
config_port_read(uint16_t *port, const char *text)
{
	unsigned value = 0;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return false;
		value = value * 10 + (unsigned)(*at - '0');
		if (value > 65535)
			return false;
	}
	*port = (uint16_t)value;
	return value > 0 && *text != '0';
}

/* A name, and behind a colon its port. */
static bool
config_name_read(struct option_reader *reader, struct config_server *server)
{
	const char *colon = strchr(server->text, ':');
	size_t length = colon != NULL ? (size_t)(colon - server->text) : strlen(server->text);
	struct slice name = { .data = server->text, .length = length };
	size_t last = length;

	while (last > 0 && name.data[last - 1] != '.')
		last--;
	if (!domain_pattern_is_name(name) ||
	    strspn(name.data + last, "0123456789") == length - last)
		return false; /* 300.1.2.3 is no name */
	server->host = arena_copy(reader->arena, name);
	server->port = SMTP_PORT;
	return colon == NULL || config_port_read(&server->port, colon + 1);
}

/* "[::1]" is an address, too. */
static bool
config_ip_read(struct ip *ip, const char *text)
{
	struct slice bare = slice_of(text);

	if (bare.length > 2 && *text == '[' && text[bare.length - 1] == ']')
		bare = (struct slice) { .data = text + 1, .length = bare.length - 2 };
	return ip_read(ip, bare);
}

static bool
config_server_read(struct option_reader *reader, const char *text, struct config_server *server)
{
	struct endpoint endpoint = { .port = SMTP_PORT };
	char host[IP_TEXT_MOST];

	server->text = arena_strdup(reader->arena, text);
	if (!config_ip_read(&endpoint.ip, text) && !endpoint_read(&endpoint, slice_of(text)))
		return config_name_read(reader, server);
	if (endpoint.ip.length == 0)
		return false; /* "*:25" */
	server->ip = endpoint.ip;
	server->port = endpoint.port;
	server->host = arena_strdup(reader->arena, ip_text(host, &endpoint.ip));
	return true;
}

bool
config_servers_read(struct option_reader *reader, const struct node *value, void *field)
{
	size_t count = value->kind == NODE_LIST ? node_count(value) : 1;
	const struct node *item = value->kind == NODE_LIST ? value->child : value;
	struct config_server *servers = arena_alloc(reader->arena, (count + 1) * sizeof(*servers));

	if (count == 0 || value->kind == NODE_MAP)
		return false;
	if (count > SERVERS_MOST)
		fault_add(reader->faults, value, "at most %d servers", SERVERS_MOST);
	for (size_t i = 0; i < count; i++, item = item->next)
		if (!config_is_text(item) || !config_server_read(reader, item->text, &servers[i]))
			option_impossible(
			    reader, item, "a host, or host and port: exchange.example.com:25");
	*(struct config_servers *)field = (struct config_servers) { count, servers };
	return true;
}
