#include "lib/ip.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "lib/log.h"

static const uint8_t ip_mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */

/*
 * A decimal number without sign or leading zeros, at most `most`, from the beginning of
 * text. Returns how many digits it has; 0: there is none, or it is too large.
 */
static size_t
ip_read_number(struct slice text, unsigned most, unsigned *value)
{
	size_t length = 0;
	unsigned number = 0;

	while (length < text.length && text.data[length] >= '0' && text.data[length] <= '9') {
		number = number * 10 + (unsigned)(text.data[length++] - '0');
		if (number > most || (length == 2 && text.data[0] == '0'))
			return 0;
	}
	*value = number;
	return length;
}

/* By hand, since lists bring millions of them. */
static bool
ip_read_four(uint8_t bytes[4], struct slice text)
{
	for (int i = 0; i < 4; i++) {
		unsigned value = 0;
		size_t length = ip_read_number(text, 255, &value);

		if (length == 0)
			return false;
		bytes[i] = (uint8_t)value;
		if (i < 3 && (length == text.length || text.data[length++] != '.'))
			return false;
		text.data += length;
		text.length -= length;
	}
	return text.length == 0;
}

static void
ip_from_sixteen(struct ip *ip, const uint8_t bytes[16])
{
	if (memcmp(bytes, ip_mapped, sizeof(ip_mapped)) == 0) {
		*ip = (struct ip) { .length = 4 };
		memcpy(ip->bytes, bytes + sizeof(ip_mapped), 4);
	} else {
		ip->length = 16;
		memcpy(ip->bytes, bytes, 16);
	}
}

static bool
ip_read_sixteen(uint8_t bytes[16], struct slice text)
{
	char copy[IP_TEXT_MOST];

	if (text.length >= sizeof(copy) || memchr(text.data, '\0', text.length) != NULL)
		return false;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	return inet_pton(AF_INET6, copy, bytes) == 1;
}

bool
ip_read(struct ip *ip, struct slice text)
{
	uint8_t bytes[16];

	*ip = (struct ip) { 0 };
	if (text.length == 0)
		return false;
	if (ip_read_four(bytes, text)) {
		ip->length = 4;
		memcpy(ip->bytes, bytes, 4);
		return true;
	}
	if (!ip_read_sixteen(bytes, text))
		return false;
	ip_from_sixteen(ip, bytes);
	return true;
}

const char *
ip_text(char out[IP_TEXT_MOST], const struct ip *ip)
{
	out[0] = '\0';
	if (ip->length != 0)
		inet_ntop(ip->length == 4 ? AF_INET : AF_INET6, ip->bytes, out, IP_TEXT_MOST);
	return out;
}

bool
ip_from_sockaddr(struct ip *ip, const struct sockaddr *address)
{
	*ip = (struct ip) { 0 };
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		ip->length = 4;
		memcpy(ip->bytes, &in.sin_addr, 4);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		ip_from_sixteen(ip, in6.sin6_addr.s6_addr);
		return true;
	}
	return false;
}

socklen_t
ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *address)
{
	assert(ip->length == 4 || ip->length == 16);
	memset(address, 0, sizeof(*address));
	if (ip->length == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)address;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, ip->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, ip->bytes, 16);
	return sizeof(*in6);
}

uint16_t
ip_port(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default:
		return 0;
	}
}

bool
ip_equals(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

int
ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->length);
}

struct slice
ip_slice(const struct ip *ip)
{
	return (struct slice) { .data = (const char *)ip->bytes, .length = ip->length };
}

struct network
network_of(const struct ip *ip, unsigned bits)
{
	unsigned most = ip->length * 8u;
	struct network network = { .ip = *ip, .bits = (uint8_t)(bits < most ? bits : most) };

	for (unsigned i = 0; i < ip->length; i++) {
		unsigned kept = network.bits > i * 8 ? network.bits - i * 8 : 0;

		if (kept < 8)
			network.ip.bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
	return network;
}

/* A prefix longer than 96 bits of ::ffff:0:0/96 was already turned into IPv4 by ip_read(). */
static bool
network_read_bits(struct network *network, struct slice text, bool is_mapped)
{
	unsigned bits, least = is_mapped ? 96 : 0;
	unsigned most = network->ip.length == 4 && !is_mapped ? 32 : 128;
	size_t length = ip_read_number(text, most, &bits);

	if (length == 0 || length != text.length || bits < least)
		return false;
	network->bits = (uint8_t)(bits - least);
	return true;
}

static bool
network_complain(char *why, const char *format, struct slice text, const char *meant)
{
	char shown[64];

	if (why != NULL)
		snprintf(why, NETWORK_WHY_MOST, format, log_printable(shown, sizeof(shown), text),
		    meant);
	return false;
}

bool
network_read(struct network *network, struct slice text, char why[NETWORK_WHY_MOST])
{
	const char *slash = text.length > 0 ? memchr(text.data, '/', text.length) : NULL;
	struct slice address = text;
	char meant[NETWORK_TEXT_MOST];

	if (slash != NULL)
		address.length = (size_t)(slash - text.data);
	*network = (struct network) { 0 };
	if (!ip_read(&network->ip, address))
		return network_complain(why, "\"%s\" is no address or network%s", text, "");
	network->bits = (uint8_t)(network->ip.length * 8);
	if (slash == NULL)
		return true;

	struct slice bits = { .data = slash + 1, .length = text.length - address.length - 1 };
	bool is_mapped =
	    network->ip.length == 4 && memchr(address.data, ':', address.length) != NULL;

	if (!network_read_bits(network, bits, is_mapped))
		return network_complain(why, "\"%s\": the length after / must be %s", text,
		    is_mapped                     ? "96 to 128"
			: network->ip.length == 4 ? "0 to 32"
						  : "0 to 128");
	struct network clean = network_of(&network->ip, network->bits);

	if (!ip_equals(&clean.ip, &network->ip))
		return network_complain(why,
		    "\"%s\" has bits set after its prefix, probably meant: %s", text,
		    network_text(meant, &clean));
	return true;
}

bool
network_has(const struct network *network, const struct ip *ip)
{
	if (ip->length != network->ip.length)
		return false;
	struct network other = network_of(ip, network->bits);

	return ip_equals(&other.ip, &network->ip);
}

const char *
network_text(char out[NETWORK_TEXT_MOST], const struct network *network)
{
	ip_text(out, &network->ip);
	if (network->ip.length != 0) {
		size_t length = strlen(out);

		snprintf(out + length, NETWORK_TEXT_MOST - length, "/%u", network->bits);
	}
	return out;
}

/* The colon that divides address and port is the last one; IPv6 stands in brackets. */
bool
endpoint_read(struct endpoint *endpoint, struct slice text)
{
	const char *colon = text.length > 0 ? memrchr(text.data, ':', text.length) : NULL;
	unsigned port;

	*endpoint = (struct endpoint) { 0 };
	if (colon == NULL)
		return false;
	struct slice host = { .data = text.data, .length = (size_t)(colon - text.data) };
	struct slice digits = { .data = colon + 1, .length = text.length - host.length - 1 };

	if (digits.length == 0 || ip_read_number(digits, 65535, &port) != digits.length ||
	    port == 0)
		return false;
	bool has_brackets =
	    host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']';

	if (has_brackets)
		host = (struct slice) { .data = host.data + 1, .length = host.length - 2 };
	if (has_brackets || !slice_matches(host, "*")) {
		bool is_six = host.length > 0 && memchr(host.data, ':', host.length) != NULL;

		if (is_six != has_brackets || !ip_read(&endpoint->ip, host))
			return false;
	}
	endpoint->port = (uint16_t)port;
	return true;
}

const char *
endpoint_text(char out[ENDPOINT_TEXT_MOST], const struct endpoint *endpoint)
{
	char address[IP_TEXT_MOST];
	const char *format = endpoint->ip.length == 16 ? "[%s]:%u" : "%s:%u";

	ip_text(address, &endpoint->ip);
	snprintf(out, ENDPOINT_TEXT_MOST, format, endpoint->ip.length == 0 ? "*" : address,
	    endpoint->port);
	return out;
}
