/*
 * ip: addresses, networks and endpoints.
 *
 * An address is 4 or 16 bytes in network order. What is an IPv4 address inside IPv6
 * (::ffff:192.0.2.1) becomes the IPv4 address wherever one is read, be it from text or from
 * a socket, so that no list and no policy can be walked around by the way a client came.
 *
 * Reading is strict, since what is read here is configuration, lists and protocol text:
 * no leading zeros, no zone ids (fe80::1%eth0), no spaces, no short forms (10.1).
 *
 * Nothing here allocates or fails but by its value. Text is written in RFC 5952's form.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/slice.h"

enum {
	IP_TEXT_MOST = 46,       /* an address as text, with its NUL */
	NETWORK_TEXT_MOST = 50,  /* with "/128" */
	NETWORK_WHY_MOST = 160,  /* one line saying what is wrong with a text */
	ENDPOINT_TEXT_MOST = 54, /* "[address]:65535" */
};

struct ip {
	uint8_t length; /* 4 or 16; 0: none */
	uint8_t bytes[16];
};

struct network {
	struct ip ip; /* the bits after the first `bits` are 0 */
	uint8_t bits; /* 0 ... 32, 0 ... 128 */
};

struct endpoint {
	struct ip ip; /* length 0: any address (the text was "*:25") */
	uint16_t port;
};

/* false: text is no address; *ip is none then. */
bool ip_read(struct ip *ip, struct slice text);

/* Returns out; "" for none. */
const char *ip_text(char out[IP_TEXT_MOST], const struct ip *ip);

/* false (and none): neither IPv4 nor IPv6, as with a Unix socket's peer. */
bool ip_from_sockaddr(struct ip *ip, const struct sockaddr *address);
socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *address);
uint16_t ip_port(const struct sockaddr *address); /* 0 where there is none */

bool ip_equals(const struct ip *a, const struct ip *b);
int ip_compare(const struct ip *a, const struct ip *b); /* IPv4 before IPv6; as memcmp */

/* 4 or 16 bytes, borrowed from *ip; dns_reverse() takes it so. */
struct slice ip_slice(const struct ip *ip);

/*
 * "10.0.0.0/8"; a bare address is a network of its full length. false: why, if not NULL,
 * says in one line what is wrong, and where bits are set after the prefix, which network was
 * probably meant. ::ffff:10.0.0.0/104 is read as 10.0.0.0/8.
 */
bool network_read(struct network *network, struct slice text, char why[NETWORK_WHY_MOST]);

/* The network of an address: its first `bits` (capped at its length), the rest 0. */
struct network network_of(const struct ip *ip, unsigned bits);
bool network_has(const struct network *network, const struct ip *ip); /* never across families */
const char *network_text(char out[NETWORK_TEXT_MOST], const struct network *network);

/* "127.0.0.1:25", "[::1]:25", "*:25" (any address: ip.length is 0). The port: 1 ... 65535. */
bool endpoint_read(struct endpoint *endpoint, struct slice text);
const char *endpoint_text(char out[ENDPOINT_TEXT_MOST], const struct endpoint *endpoint);
