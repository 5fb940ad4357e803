/*
 * mime: what a message is made of (RFC 2045 to 2047, 2183, 2231).
 *
 *	result      broken: something in it is read differently by different mail programs
 *	fault       each way in which it is, with the part where it was first
 *	parts, depth
 *	attachment  each file: what it is (by content and name), with name, type, size, part
 *
 * And whether among the files, or in archives among them, is one that runs when it is opened,
 * that hides it, that holds macros or is encrypted. Archives are listed and not unpacked; one
 * that could not be listed to its end is told as `unread`.
 */
#include "filters/mime_file.h"

enum { FILES_MOST = 32, NUMBER_MOST = 24 };

struct mime_options {
	bool archives;
};

static const struct option mime_options_rows[] = {
	OPTION(mime_options, archives, .fallback = "yes",
	    .help = "Whether the names of the files in archives and documents are looked at: ZIP "
		    "of any size, and of 7z, RAR, tar, CAB, LHA and ISO what lies in the first "
		    "MiB. Nothing is unpacked to disk or run."),
	{ 0 },
};

struct mime_state {
	struct mime_file *file; /* made with the first attachment */
	bool is_open;
	struct mime_found found[FILES_MOST];
	size_t count;         /* also those that are not kept */
	struct mime_host own; /* where no worker is (tests) */
};

static void
mime_close_magic(void *arg)
{
	magic_close(arg);
}

static void *
mime_open(const struct filter_host *host, const void *options)
{
	struct mime_host *own = arena_alloc(host->arena, sizeof(*own));

	(void)options;
	own->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
	    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	if (own->magic == NULL)
		return own;
	arena_defer(host->arena, mime_close_magic, own->magic);
	if (magic_load(own->magic, NULL) != 0)
		own->magic = NULL;
	return own;
}

/* ---- files, as they pass ---- */

static void
mime_part_begin(struct mail *mail, const void *arg, const struct part *part)
{
	const struct mime_options *options = arg;
	struct mime_state *state = mail->state;
	struct mime_host *host = mail->shared != NULL ? mail->shared : &state->own;

	if (part->is_raw)
		return;
	state->is_open = part->is_attachment && !part->is_container;
	if (!state->is_open)
		return;
	if (state->file == NULL)
		state->file = arena_alloc(mail->arena, sizeof(*state->file));
	mime_file_begin(state->file, host, part, options->archives);
}

static void
mime_data(struct mail *mail, const void *options, const struct part *part, struct slice bytes)
{
	struct mime_state *state = mail->state;

	(void)options;
	if (state->is_open && !part->is_raw)
		mime_file_feed(state->file, bytes);
}

/* Of too many the last one kept is one of those that matter, if there is any. */
static void
mime_keep(struct mime_state *state, const struct mime_found *found)
{
	bool is_worse = found->is_executable || found->has_macro || found->is_encrypted;

	if (state->count < FILES_MOST)
		state->found[state->count] = *found;
	else if (is_worse)
		state->found[FILES_MOST - 1] = *found;
	state->count++;
}

static void
mime_part_end(struct mail *mail, const void *options, const struct part *part)
{
	struct mime_state *state = mail->state;

	(void)options;
	if (!state->is_open || part->is_raw)
		return;
	state->is_open = false;
	mime_file_end(state->file, mail->arena, part, state->count < MIME_FILE_MAGIC);
	mime_keep(state, &state->file->found);
}

static void
mime_close(struct mail *mail, const void *options)
{
	struct mime_state *state = mail->state;

	(void)options;
	if (state->file != NULL)
		mime_file_free(state->file);
}

/* ---- the facts ---- */

/* A key that is yes for some files. */
static const struct mime_key {
	const char *key;
	size_t is_so;  /* of struct mime_found */
	size_t detail; /* there, too */
} mime_keys[] = {
	{ "executable", offsetof(struct mime_found, is_executable),
	    offsetof(struct mime_found, executable) },
	{ "double_extension", offsetof(struct mime_found, is_double),
	    offsetof(struct mime_found, disguise) },
	{ "right_to_left", offsetof(struct mime_found, is_turned),
	    offsetof(struct mime_found, disguise) },
	{ "macro", offsetof(struct mime_found, has_macro), offsetof(struct mime_found, name) },
	{ "encrypted", offsetof(struct mime_found, is_encrypted),
	    offsetof(struct mime_found, name) },
	{ "unread", offsetof(struct mime_found, is_unread), offsetof(struct mime_found, name) },
};

static size_t
mime_kept(const struct mime_state *state)
{
	return state->count < FILES_MOST ? state->count : FILES_MOST;
}

static void
mime_record_key(struct mail *mail, const struct mime_state *state, const struct mime_key *key)
{
	bool is_any = false;

	for (size_t i = 0; i < mime_kept(state); i++) {
		const struct mime_found *found = &state->found[i];
		const char *detail = *(const char *const *)((const char *)found + key->detail);
		const struct about about[] = { { "name", found->name }, { "part", found->part },
			{ 0 } };

		if (!*(const bool *)((const char *)found + key->is_so))
			continue;
		is_any = true;
		evidence_add_about(mail->evidence, "mime", key->key, "yes", detail, about);
	}
	if (!is_any)
		evidence_add(mail->evidence, "mime", key->key, "no", "");
}

static void
mime_record_number(struct mail *mail, const char *key, uint64_t number)
{
	char text[NUMBER_MOST];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	evidence_add(mail->evidence, "mime", key, text, "");
}

static void
mime_record_files(struct mail *mail, const struct mime_state *state)
{
	char size[NUMBER_MOST];

	for (size_t i = 0; i < mime_kept(state); i++) {
		const struct mime_found *found = &state->found[i];
		const struct about about[] = { { "part", found->part }, { "type", found->type },
			{ "content", found->content_type }, { "size", size }, { 0 } };

		snprintf(size, sizeof(size), "%llu", (unsigned long long)found->size);
		evidence_add_about(mail->evidence, "mime", "attachment",
		    file_kind_word(found->kind), found->name, about);
	}
	if (state->count == 0)
		evidence_add(mail->evidence, "mime", "attachment", "none", "");
	for (size_t i = 0; i < sizeof(mime_keys) / sizeof(mime_keys[0]); i++)
		mime_record_key(mail, state, &mime_keys[i]);
	mime_record_number(mail, "attachments", state->count);
}

static void
mime_record_faults(struct mail *mail, const struct mime *mime)
{
	uint64_t faults = mime_faults(mime);
	const char *first = "";

	for (enum mime_fault fault = 0; fault < MIME_FAULTS; fault++) {
		const struct about about[] = { { "part", mime_fault_path(mime, fault) }, { 0 } };

		if (!(faults & MIME_BIT(fault)))
			continue;
		if (first[0] == '\0')
			first = mime_fault_text(fault);
		evidence_add_about(mail->evidence, "mime", "fault", mime_fault_name(fault),
		    mime_fault_text(fault), about);
	}
	if (faults == 0)
		evidence_add(mail->evidence, "mime", "fault", "none", "");
	evidence_add(mail->evidence, "mime", "result", faults != 0 ? "broken" : "ok", first);
}

static enum step
mime_stage_end(struct mail *mail, const void *options)
{
	(void)options;
	mime_record_faults(mail, mail->mime);
	mime_record_number(mail, "parts", mime_count(mail->mime));
	mime_record_number(mail, "depth", mime_depth(mail->mime));
	mime_record_files(mail, mail->state);
	return NEXT;
}

const struct filter mime_filter = {
	.name = "mime",
	.summary = "what the message is made of: parts, files, and what is broken in it",
	.facts =
	    (const struct fact_kind[]) {
		{ "result", END, "ok broken",
		    "broken: it has faults, and mail programs read it in different ways" },
		{ "fault", END, MIME_FAULT_NAMES " none",
		    "what is broken, and in which part first" },
		{ "parts", END, "*", "how many parts it has" },
		{ "depth", END, "*", "how deep they lie in each other" },
		{ "attachments", END, "*", "how many files it has" },
		{ "attachment", END,
		    "executable script shortcut archive disk_image document macro_document pdf "
		    "image media html text message other none",
		    "each file: what it is by its content and name, with its part, the type that "
		    "it is sent with and the one found, and its size" },
		{ "executable", END, "yes no",
		    "a file, or one in an archive, that runs when it is opened" },
		{ "double_extension", END, "yes no",
		    "one that runs, under a name like a document's: invoice.pdf.exe" },
		{ "right_to_left", END, "yes no",
		    "a file's name that is turned, so that another ending shows" },
		{ "macro", END, "yes no", "a document with macros" },
		{ "encrypted", END, "yes no", "an archive or document that wants a password" },
		{ "unread", END, "yes no", "an archive that could not be listed to its end" },
		{ 0 },
	    },
	.options = mime_options_rows,
	.options_size = sizeof(struct mime_options),
	.stages = { [END] = mime_stage_end },
	.part_begin = mime_part_begin,
	.data = mime_data,
	.part_end = mime_part_end,
	.state_size = sizeof(struct mime_state),
	.close = mime_close,
	.open = mime_open,
};
