#include "lib/spf_received.h"

#include <ctype.h>

/* Within a comment or a quoted string. */
static void
spf_received_text(struct buf *out, const char *text, const char *quoted)
{
	for (size_t i = 0; text[i] != '\0' && i < SPF_RECEIVED_MOST; i++) {
		bool is_printable = text[i] >= ' ' && text[i] <= '~';

		if (strchr(quoted, text[i]) != NULL)
			buf_append_byte(out, '\\');
		buf_append_byte(out, is_printable ? text[i] : '?');
	}
}

/* A dot-atom of RFC 5322 3.2.3. */
static bool
spf_received_is_atom(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > SPF_RECEIVED_MOST || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("!#$%&'*+-/=?^_`{|}~.", text[i]) == NULL)
			return false;
	return strstr(text, "..") == NULL;
}

static void
spf_received_pair(struct buf *out, const char *before, const char *name, const char *value)
{
	buf_print(out, "%s%s=", before, name);
	if (spf_received_is_atom(value)) {
		buf_append(out, slice_of(value));
		return;
	}
	buf_append_byte(out, '"');
	spf_received_text(out, value, "\"\\");
	buf_append_byte(out, '"');
}

void
spf_received_field(const struct spf_received *received, struct buf *out)
{
	buf_print(out, "Received-SPF: %s (", received->result);
	if (received->receiver != NULL) {
		spf_received_text(out, received->receiver, "()\\");
		buf_append(out, slice_of(": "));
	}
	spf_received_text(out, received->comment, "()\\");
	buf_append_byte(out, ')');
	spf_received_pair(out, "\r\n\t", "client-ip", received->client);
	spf_received_pair(out, "; ", "envelope-from", received->from);
	if (received->helo != NULL)
		spf_received_pair(out, ";\r\n\t", "helo", received->helo);
	spf_received_pair(out, ";\r\n\t", "identity", received->identity);
	if (received->receiver != NULL)
		spf_received_pair(out, "; ", "receiver", received->receiver);
	buf_append(out, slice_of("\r\n"));
}
