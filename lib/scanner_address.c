/* Where a scanner listens, in the configuration. */
#include "lib/scanner.h"

#include <sys/un.h>

#include "lib/ip.h"

bool
scanner_address_read(struct option_reader *reader, const struct node *value, void *field)
{
	struct scanner_address *address = field;
	struct endpoint endpoint;

	if (value->kind != NODE_TEXT)
		return false;
	address->text = arena_strdup(reader->arena, value->text);
	if (address->text[0] == '/') {
		struct sockaddr_un *local = (struct sockaddr_un *)&address->where;

		if (strlen(address->text) >= sizeof(local->sun_path))
			return false;
		local->sun_family = AF_UNIX;
		strcpy(local->sun_path, address->text);
		return true;
	}
	if (!endpoint_read(&endpoint, slice_of(address->text)) || endpoint.ip.length == 0)
		return false;
	ip_to_sockaddr(&endpoint.ip, endpoint.port, &address->where);
	return true;
}
