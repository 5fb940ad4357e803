/*
 * config: the configuration file, read and checked completely, and constant from then on.
 *
 * config_read() reads postern.yaml and all it names: included files, lists, keys. What is
 * wrong is collected in `faults` with file, line, column and the nearest valid name; several
 * mistakes are reported in one run, and with any of them the result is NULL, so a running
 * postern stays with what it has. Everything lives in the arena; the master reads, the
 * workers inherit by fork, and nothing is ever changed in place.
 *
 * Every key has one row in an option table (rules/config.c and the filters' own), from which
 * come the check, the fallback and the manual page postern.yaml(5).
 */
#pragma once

#include "lib/ip.h"
#include "lib/networks.h"
#include "lib/option.h"
#include "lib/tls.h"
#include "lib/watch.h"
#include "rules/pipeline.h"
#include "rules/policy.h"

enum listen_tls { LISTEN_TLS_OFF, LISTEN_TLS_STARTTLS, LISTEN_TLS_REQUIRED, LISTEN_TLS_IMPLICIT };
enum listen_auth { LISTEN_AUTH_OFF, LISTEN_AUTH_BACKEND };
enum backend_tls {
	BACKEND_TLS_OFF,
	BACKEND_TLS_OPPORTUNISTIC,
	BACKEND_TLS_REQUIRED,
	BACKEND_TLS_VERIFY
};
enum delivery { DELIVERY_HOLD, DELIVERY_STREAM, DELIVERY_AUTO };
enum bare_newline { BARE_NEWLINE_NORMALIZE, BARE_NEWLINE_REJECT, BARE_NEWLINE_PASS };

/* choices below hold the enums' numbers: struct choice { uint32_t value; } of lib/option.h */
struct config_listen {
	const char *address; /* as written: "*:25", "127.0.0.1:2525", "[::1]:25" */
	struct endpoint endpoint;
	bool is_any;           /* "*": IPv6 socket that takes IPv4 too */
	struct choice tls;     /* enum listen_tls; starttls */
	struct choice auth;    /* enum listen_auth; backend */
	bool auth_without_tls; /* no: AUTH is offered and taken inside TLS only */
};

struct config_listens {
	size_t count; /* at least 1 */
	const struct config_listen *item;
};

struct config_certificate {
	const char *cert, *key; /* paths */
};

struct config_certificates {
	size_t count;
	const struct config_certificate *item;
};

struct config_tls {
	struct config_certificates certificates;
	struct choice min_version; /* words "1.0" "1.1" "1.2" "1.3" -> TLS1_VERSION + value; 1.2 */
	const char *ciphers;       /* NULL */
	const char *ca;            /* bundle for tls: verify; NULL: the system's */
};

struct config_server {    /* of the backend */
	const char *text; /* "exchange.corp.example:25" */
	const char *host; /* name or address */
	uint16_t port;
	struct ip ip; /* length 0: host is a name, to be resolved by DNS */
};

struct config_servers {
	size_t count; /* at least 1 */
	const struct config_server *item;
};

struct config_backend {
	struct config_servers servers; /* tried in this order */
	struct choice tls;             /* enum backend_tls; opportunistic */
	const char *tls_name;          /* the name in its certificate; NULL: the server's host */
	const char *hello;             /* what we call ourselves in EHLO; NULL: hostname */
	struct seconds retry;          /* how long a failed server is passed over; 30s */
};

struct config_timeouts {           /* RFC 5321 4.5.3.2 */
	struct seconds greeting;   /* 5m: of the backend, and its EHLO and STARTTLS */
	struct seconds command;    /* 5m: until the client's next command is whole */
	struct seconds data;       /* 3m: until the client's next piece of text */
	struct seconds tls;        /* 30s: a handshake, on either side */
	struct seconds connect;    /* 30s: to one server of the backend */
	struct seconds envelope;   /* 5m: the backend's reply to MAIL, RCPT, AUTH */
	struct seconds data_start; /* 2m: its reply to DATA */
	struct seconds data_block; /* 3m: until it takes the next piece of text */
	struct seconds data_end;   /* 570s: its reply to the final dot */
	struct seconds facts;      /* 30s: how long a decision waits for facts still open */
};

struct config_limits {
	uint32_t sessions;             /* 10000, over all workers */
	uint32_t sessions_per_client;  /* 20: per IPv4 address or IPv6 /64, over all workers */
	struct bytes message_size;     /* 0: the backend's SIZE */
	struct bytes header_size;      /* 256K */
	uint32_t recipients;           /* 1000 per message */
	uint32_t errors;               /* 10 bad commands, then 421 */
	uint32_t refusals;             /* 100 refused recipients, then 421 */
	struct bytes memory;           /* 256K of a message in memory, the rest in a file */
	uint32_t messages;             /* 1000 per session, then 421 */
	uint32_t unknown_recipients;   /* per session, then 421; 0: no limit of its own */
	uint32_t harvest;              /* 20 of them per client, then smtp.harvest; 0: never */
	struct seconds harvest_within; /* 1h */
	struct seconds tarpit;         /* 0s: no refusal is held back */
};

struct config_recipients {       /* what is remembered of them; 0s: nothing */
	struct seconds remember; /* that it was taken */
	struct seconds unknown;  /* that it is unknown, and how that was said */
};

struct config_dns {
	struct texts servers;     /* "127.0.0.1:5353"; none: recurse ourselves */
	struct seconds timeout;   /* 5s per question */
	uint32_t questions;       /* 400 per session */
	uint32_t open;            /* 2000 per worker */
	const char *trust_anchor; /* DNSSEC: the file; NULL: no validation */
	struct bytes cache;       /* 48M per worker */
	struct seconds negative;  /* 5m: "no such name" is believed at most */
	bool ipv6;                /* ask name servers over IPv6 too */
};

struct config_log {
	struct choice target; /* stderr syslog */
	struct choice format; /* text json */
	struct choice level;  /* error warning info debug */
};

struct config {
	struct arena *arena;
	const char *file;
	const char *hostname;   /* fallback: the machine's */
	const char *user;       /* "postern": what workers become when started by root; "" stays */
	const char *run_dir;    /* /run/postern */
	const char *state_dir;  /* /var/lib/postern */
	const char *spool_dir;  /* /var/tmp: where a long message is kept in an unlinked file */
	uint32_t workers;       /* at least 1; `0`, the fallback, is one per processor */
	struct choice delivery; /* enum delivery; hold */
	struct choice bare_newline;         /* enum bare_newline; normalize */
	struct networks bare_newline_peers; /* to whom `pass` applies */
	bool received;                      /* yes: add a Received field */
	bool authentication_results;        /* yes: add one, where spf, dkim or dmarc runs */
	const char *authserv_id;            /* our name in it (RFC 8601 2.5); fallback: hostname */
	struct texts authserv_aliases;      /* others of ours: such fields are removed, too */
	struct seconds greet_delay; /* 0s: the greeting waits, and who speaks before it is early */
	struct choice mode;         /* enforce shadow */
	struct config_log log;
	struct config_listens listen;
	struct config_tls tls;
	struct config_backend backend;
	struct config_dns dns;
	struct config_timeouts timeouts;
	struct config_limits limits;
	struct config_recipients recipients;

	struct pipeline pipeline;      /* from `filters:` and `relay:`; smtp and relay run always */
	struct policy policy;          /* from `policy:` and `thresholds:` */
	struct tls_server *tls_server; /* NULL: no listener speaks TLS */
	SSL_CTX *tls_client;           /* NULL: backend tls: off */
	const struct watch *watched;   /* the files to look at for changes */
	const struct node *root;       /* the file itself, for config_print() */
};

/* NULL when there is any fault. Relative names are looked for beside the file they stand in,
 * then among the files that come with postern ($POSTERN_DATADIR, if it is set). */
const struct config *config_read(struct arena *arena, const char *file, struct faults *faults);

/* The same for bytes at hand, which stand as if in a file of this name. No key and no
 * certificate is opened: tls_server and tls_client are NULL. For tests. */
const struct config *
config_read_bytes(struct arena *arena, const char *name, struct slice bytes, struct faults *faults);

/* The key run_dir alone, for commands that speak to a running postern and may not open all
 * that the configuration names. NULL: there is a fault. */
const char *config_run_dir(struct arena *arena, const char *file, struct faults *faults);

/* The files named by the configuration (itself, includes, lists, certificates): has any
 * changed (inode, size, time of change) since it was read? */
bool config_has_changed(const struct config *config);

/* An option of a filter that runs, by its key, as the filter's own struct has it; NULL: there is
 * none. */
const void *config_option(const struct config *config, const char *filter, const char *key);

/* What is allowed and probably not meant, as faults that are none: for people. */
void config_warn(const struct config *config, struct faults *warnings);

/* For postern check --print and for the manual page. */
void config_print(FILE *out, const struct config *config);
void config_write_man(FILE *out);
