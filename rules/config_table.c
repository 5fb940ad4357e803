/* The rows of all keys that are not a filter's. */
#include "lib/tally.h"
#include "rules/config_draft.h"

#ifndef POSTERN_RUNDIR
#define POSTERN_RUNDIR "/run/postern"
#endif
#ifndef POSTERN_STATEDIR
#define POSTERN_STATEDIR "/var/lib/postern"
#endif

#define WORDS(...)                                                                                 \
	.words = (const char *const[])                                                             \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

enum { DAY = 86400, KIB = 1024, MIB = 1024 * KIB };

static const struct option log_rows[] = {
	OPTION(config_log, target, .fallback = "stderr", WORDS("stderr", "syslog"),
	    .help = "Where the log goes. What is written to stderr systemd keeps in the journal."),
	OPTION(config_log, format, .fallback = "text", WORDS("text", "json"),
	    .help = "Lines for people, or one JSON object per line."),
	OPTION(config_log, level, .fallback = "info", WORDS("error", "warning", "info", "debug"),
	    .help = "The least important lines that are still written."),
	{ 0 },
};

static const struct option listen_rows[] = {
	{ .key = "address",
	    .offset = offsetof(struct config_listen, address),
	    .kind = OPTION_IS_CUSTOM,
	    .read = config_address_read,
	    .size = sizeof(const char *),
	    .required = true,
	    .expected = "an address and port such as \"*:25\", 192.0.2.1:25, \"[2001:db8::1]:25\"",
	    .help = "Where to listen. * is every address of the machine, IPv6 and IPv4." },
	OPTION(config_listen, tls, .fallback = "starttls",
	    WORDS("off", "starttls", "required", "implicit"),
	    .help = "starttls offers TLS; required takes no mail without it; implicit speaks TLS "
		    "from the first byte (port 465). All but off need tls: certificates:."),
	OPTION(config_listen, auth, .fallback = "backend", WORDS("off", "backend"),
	    .help = "backend passes AUTH on to the backend, if it offers any; off offers none."),
	OPTION(config_listen, auth_without_tls, .fallback = "no",
	    .help = "Whether AUTH is also offered and taken outside TLS, where passwords can be "
		    "read on the way."),
	{ 0 },
};

static const struct option certificate_rows[] = {
	OPTION(config_certificate, cert, .required = true, .path = true,
	    .help = "A PEM file: the certificate, then its chain."),
	OPTION(config_certificate, key, .required = true, .path = true,
	    .help = "A PEM file with the private key."),
	{ 0 },
};

static const struct option tls_rows[] = {
	OPTION_LIST(config_tls, certificates, config_certificate, certificate_rows,
	    .help = "The client's SNI picks by the names in the certificates; the first one is "
		    "for clients that ask for no name or an unknown one."),
	OPTION(config_tls, min_version, .fallback = "1.2", WORDS("1.0", "1.1", "1.2", "1.3"),
	    .help = "The oldest version of TLS that is spoken, on either side. Old Exchange "
		    "servers may need 1.0."),
	OPTION(config_tls, ciphers,
	    .help = "Cipher suites for TLS up to 1.2 towards clients, in OpenSSL's notation."),
	OPTION(config_tls, ca, .path = true,
	    .help = "A PEM file of authorities that may vouch for the backend (tls: verify). "
		    "Without it the system's."),
	{ 0 },
};

static const struct option backend_rows[] = {
	OPTION_CUSTOM(config_backend, servers, config_servers_read, .required = true,
	    .expected = "a host such as exchange.example.com:25, or a list of them",
	    .help = "The mail servers behind, as host or host:port (25), tried in this order."),
	OPTION(config_backend, tls, .fallback = "opportunistic",
	    WORDS("off", "opportunistic", "required", "verify"),
	    .help = "opportunistic speaks TLS if the backend offers it; required insists; verify "
		    "also checks its certificate."),
	OPTION_CUSTOM(config_backend, tls_name, config_host_read,
	    .expected = "a host name such as exchange.example.com",
	    .help = "The name in the backend's certificate, if it is not the server's."),
	OPTION_CUSTOM(config_backend, hello, config_host_read,
	    .expected = "a host name such as mx.example.com",
	    .help = "What postern calls itself to the backend, if not hostname:."),
	OPTION(config_backend, retry, .fallback = "30s", .max = DAY,
	    .help = "How long a server that failed is passed over while there is another."),
	{ 0 },
};

static const struct option dns_rows[] = {
	OPTION(config_dns, servers,
	    .help = "Resolvers to ask, as address or address:port (53). None: postern resolves "
		    "by itself, which DNS lists want."),
	OPTION(config_dns, timeout, .fallback = "5s", .min = 0.1, .max = 60,
	    .help = "How long one question may take."),
	OPTION(config_dns, questions, .fallback = "400", .min = 1, .max = 100000,
	    .help = "Questions per session; what is over it fails."),
	OPTION(config_dns, open, .fallback = "2000", .min = 10, .max = 100000,
	    .help = "Questions under way at once, per worker; what is over it fails."),
	OPTION_CUSTOM(config_dns, trust_anchor, config_anchor_read, .fallback = "auto",
	    .expected = "auto, none or a file",
	    .help = "A file of DS or DNSKEY records: answers are validated (DNSSEC), a bogus one "
		    "counts as failed. auto: without servers: " CONFIG_ANCHOR " (Debian's package "
		    "dns-root-data), if it is there, else none. none: nothing is validated."),
	OPTION(config_dns, cache, .fallback = "48M", .min = MIB, .max = 64.0 * 1024 * MIB,
	    .help = "Of answers in memory, per worker."),
	OPTION(config_dns, negative, .fallback = "5m", .min = 1, .max = DAY,
	    .help = "How long it is believed at most that a name does not exist: a client that a "
		    "list has just taken up is seen that much later."),
	OPTION(config_dns, ipv6, .fallback = "yes",
	    .help = "Whether name servers are asked over IPv6, too."),
	{ 0 },
};

#define TIMEOUT(field, normal, text)                                                               \
	OPTION(config_timeouts, field, .fallback = normal, .min = 0.1, .max = DAY, .help = text)

static const struct option timeouts_rows[] = {
	TIMEOUT(greeting, "5m", "The backend's greeting, and its answers to EHLO and STARTTLS."),
	TIMEOUT(command, "5m", "The client's next command."),
	TIMEOUT(data, "3m", "The client's next piece of a message."),
	TIMEOUT(tls, "30s", "A TLS handshake, on either side."),
	TIMEOUT(connect, "30s", "The connection to one server of the backend."),
	TIMEOUT(envelope, "5m", "The backend's answers to MAIL, RCPT and AUTH."),
	TIMEOUT(data_start, "2m", "The backend's answer to DATA."),
	TIMEOUT(data_block, "3m", "Until the backend takes the next piece of a message."),
	TIMEOUT(data_end, "570s", "The backend's answer to the end of a message."),
	TIMEOUT(facts, "30s", "How long a decision waits for facts that are not in."),
	{ 0 },
};

#define LIMIT(field, normal, least, most, text)                                                    \
	OPTION(config_limits, field, .fallback = normal, .min = least, .max = most, .help = text)

static const struct option limits_rows[] = {
	LIMIT(sessions, "10000", 1, 1000000, "Sessions at once, over all workers."),
	LIMIT(sessions_per_client, "20", 1, 1000000,
	    "Sessions at once per IPv4 address or IPv6 /64, over all workers."),
	LIMIT(message_size, "0", 0, 0, "Of a message. 0: what the backend takes (its SIZE)."),
	LIMIT(header_size, "256K", 4 * KIB, 64 * MIB, "Of a message's header."),
	LIMIT(recipients, "1000", 100, 100000,
	    "Per message; the client may send the rest in another."),
	LIMIT(errors, "10", 1, 10000, "Bad commands; then the session ends with 421."),
	LIMIT(refusals, "100", 1, 100000, "Refused recipients; then the session ends with 421."),
	LIMIT(memory, "256K", 4 * KIB, 64 * MIB,
	    "Of a message in memory; what is longer is kept in a file meanwhile."),
	LIMIT(messages, "1000", 1, 1000000, "Per session; then it ends with 421."),
	LIMIT(unknown_recipients, "0", 0, 100000,
	    "Recipients in a session that the mail server does not know; then it ends with 421. "
	    "0: they count among refusals only. Not for clients that have authenticated."),
	LIMIT(harvest, "20", 0, TALLY_MOST,
	    "Unknown recipients of one client (an IPv4 address or an IPv6 /64) within "
	    "harvest_within, over sessions; from then on its further sessions have the fact "
	    "smtp.harvest. 0: never."),
	LIMIT(harvest_within, "1h", 1, 7 * DAY, "The time in which these are counted."),
	LIMIT(tarpit, "0s", 0, 60,
	    "How long the first refusal of a command, recipient or password in a session is held "
	    "back; the second twice as long, and so on, up to ten times that and a minute. Not "
	    "for clients that have authenticated."),
	{ 0 },
};

static const struct option recipients_rows[] = {
	OPTION(config_recipients, unknown, .fallback = "0s", .max = DAY,
	    .help = "A recipient that the mail server does not know is refused for so long with "
		    "its own words, without asking it again. 0s: it is asked each time."),
	OPTION(config_recipients, remember, .fallback = "0s", .max = 30 * DAY,
	    .help = "A recipient that it has taken within this time is not remembered as unknown "
		    "when it suddenly is: its directory may be out of order. Mail is never taken "
		    "without asking."),
	{ 0 },
};

static const struct option thresholds_rows[] = {
	OPTION(config_thresholds, tag, .fallback = "0", .min = 0, .max = 1000000,
	    .help = "The sum of scores from which on a message is tagged. 0: never."),
	OPTION(config_thresholds, reject, .fallback = "0", .min = 0, .max = 1000000,
	    .help = "The sum of scores from which on a message is rejected. 0: never."),
	{ 0 },
};

/* Of which somebody else will make sense, when all the rest is read. */
static bool
config_node_read(struct option_reader *reader, const struct node *value, void *field)
{
	(void)reader;
	if (value->kind != NODE_LIST)
		return false;
	*(const struct node **)field = value;
	return true;
}

static const struct option top_rows[] = {
	OPTION_CUSTOM(config, hostname, config_host_read,
	    .expected = "a host name such as mx.example.com",
	    .help = "What postern calls itself. Without it the machine's name."),
	OPTION(config, user, .fallback = "postern",
	    .help = "The user that workers become when postern is started by root. An empty text: "
		    "they stay what they are."),
	OPTION(config, run_dir, .fallback = POSTERN_RUNDIR, .min = 1, .path = true,
	    .help = "Where the control socket lies."),
	OPTION(config, state_dir, .fallback = POSTERN_STATEDIR, .min = 1, .path = true,
	    .help = "What must outlast a restart."),
	OPTION(config, spool_dir, .fallback = "/var/tmp", .min = 1, .path = true,
	    .help = "Where long messages are kept, in files without a name, until the backend "
		    "has taken or postern refused them."),
	OPTION(config, workers, .fallback = "0", .max = 32,
	    .help = "Processes that share the work. 0: as many as there are processors, up to "
		    "32."),
	OPTION_SECTION(config, log, log_rows, .help = "What postern says about its work."),
	OPTION_LIST(config, listen, config_listen, listen_rows, .required = true, .min = 1,
	    .shorthand = "address", .help = "Where clients connect."),
	OPTION_SECTION(
	    config, tls, tls_rows, .help = "TLS towards clients, and what holds for both sides."),
	OPTION_SECTION(config, backend, backend_rows, .required = true,
	    .help = "The mail server that the mail is for."),
	OPTION_SECTION(config, dns, dns_rows, .help = "How names are resolved."),
	OPTION(config, delivery, .fallback = "hold", WORDS("hold", "stream", "auto"),
	    .help = "hold has the whole message before the backend hears of it; stream passes it "
		    "on as it comes and withholds its end; auto streams where no rule of the "
		    "policy could still change the message."),
	OPTION(config, bare_newline, .fallback = "normalize", WORDS("normalize", "reject", "pass"),
	    .help = "What happens to a CR or LF alone in a message: it becomes a line end, or the "
		    "message is rejected, or it stays (only for bare_newline_peers)."),
	OPTION_NETWORKS(config, bare_newline_peers, .expected = "networks such as 10.0.0.0/8",
	    .help = "Clients for which bare_newline: pass counts; for the others it is "
		    "normalize."),
	OPTION(config, received, .fallback = "yes",
	    .help = "Whether postern adds a Received field, as RFC 5321 demands."),
	OPTION(config, authentication_results, .fallback = "yes",
	    .help = "Whether postern adds an Authentication-Results field with what spf, dkim and "
		    "dmarc have found out, where one of them runs. Fields that come with our name "
		    "are removed in any case."),
	OPTION_CUSTOM(config, authserv_id, config_host_read,
	    .expected = "a host name such as mx.example.com",
	    .help = "Our name in Authentication-Results, if not hostname:. Several gateways may "
		    "have the same."),
	OPTION(config, authserv_aliases,
	    .help = "Further names of ours, such as those of other gateways: fields that come with "
		    "one of them are removed, too."),
	OPTION(config, greet_delay, .fallback = "0s", .max = 300,
	    .help = "How long the greeting is held back; who speaks before it is an "
		    "early_talker."),
	OPTION_SECTION(config, timeouts, timeouts_rows,
	    .help = "How long postern waits; mostly those of RFC 5321 4.5.3.2."),
	OPTION_SECTION(config, limits, limits_rows, .help = "How much of anything there may be."),
	OPTION_SECTION(
	    config, recipients, recipients_rows, .help = "What is remembered of recipients."),
	OPTION(config, mode, .fallback = "enforce", WORDS("enforce", "shadow"),
	    .help = "shadow records what would have been done, and lets everything pass that may "
		    "be relayed."),
	{ 0 },
};

static const struct option policy_rows[] = {
	{ .key = "policy",
	    .offset = offsetof(struct config_draft, rules),
	    .kind = OPTION_IS_CUSTOM,
	    .read = config_node_read,
	    .size = sizeof(const struct node *),
	    .expected = "a list of rules",
	    .help = "The rules, in their order; see RULES." },
	OPTION_SECTION(config_draft, thresholds, thresholds_rows,
	    .help = "What the sum of the scores leads to, where no rule has ended the matter."),
	{ 0 },
};

const struct option *
config_table(struct arena *arena)
{
	enum { TOP = sizeof(top_rows) / sizeof(*top_rows) - 1 };
	struct option *table =
	    arena_alloc(arena, sizeof(top_rows) + 2 * sizeof(*table) + sizeof(policy_rows));

	memcpy(table, top_rows, sizeof(top_rows));
	table[TOP] = config_relay_row();
	table[TOP + 1] =
	    (struct option)OPTION_SECTION(config_draft, filters, config_filters_table(arena),
		.help = "The filters that run, each with its options; they only find facts.");
	memcpy(table + TOP + 2, policy_rows, sizeof(policy_rows));
	return table;
}
