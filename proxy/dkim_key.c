#include "proxy/dkim_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/dkim_sign.h"
#include "lib/option.h"
#include "lib/option_value.h"

enum { STRING_MOST = 255 };

enum dkim_key_type { DKIM_KEY_RSA, DKIM_KEY_ED25519 };

struct dkim_key_options {
	const char *subject; /* the domain, or the file */
	const char *selector, *domain, *out;
	struct choice type;
	uint32_t bits;
};

static const struct option dkim_key_rows[] = {
	OPTION(dkim_key_options, selector, .fallback = "s1", .expected = "a name such as s1"),
	OPTION(dkim_key_options, type, .fallback = "rsa",
	    .words = (const char *const[]) { "rsa", "ed25519", NULL }),
	OPTION(dkim_key_options, bits, .fallback = "2048", .min = DKIM_BITS_LEAST,
	    .max = DKIM_BITS_MOST),
	OPTION(dkim_key_options, out, .expected = "a file"),
	OPTION(dkim_key_options, domain, .expected = "a domain such as example.com"),
	{ 0 },
};

static int
dkim_key_usage(void)
{
	fputs("usage: postern dkim-key new DOMAIN [--selector S] [--type rsa|ed25519]\n"
	      "                        [--bits 2048] [--out FILE]\n"
	      "       postern dkim-key show FILE [--domain DOMAIN] [--selector S]\n",
	    stderr);
	return EX_USAGE;
}

/* ---- words ---- */

static bool
dkim_key_read_option(struct dkim_key_options *options, const char *word, const char *text)
{
	const struct option *row = option_value_row(dkim_key_rows, word);

	if (row == NULL) {
		fprintf(stderr, "postern dkim-key: there is no option \"%s\"\n", word);
		return false;
	}
	if (text != NULL && option_value_read(row, text, (char *)options + row->offset))
		return true;
	fprintf(stderr, "postern dkim-key: --%s needs ", row->key);
	option_value_expected(stderr, row);
	fputc('\n', stderr);
	return false;
}

static bool
dkim_key_is_domain(const char *text)
{
	if (dkim_signature_is_domain(text, 1))
		return true;
	fprintf(stderr, "postern dkim-key: \"%s\" is not a name of DNS\n", text);
	return false;
}

static bool
dkim_key_read(struct dkim_key_options *options, int argc, char **argv)
{
	*options = (struct dkim_key_options) { 0 };
	option_value_fallbacks(dkim_key_rows, options);
	for (int i = 2; i < argc; i++) {
		bool is_option = strncmp(argv[i], "--", 2) == 0;

		if (is_option && !dkim_key_read_option(options, argv[i], argv[i + 1]))
			return false;
		if (!is_option && options->subject != NULL)
			return false;
		if (!is_option)
			options->subject = argv[i];
		i += is_option;
	}
	return options->subject != NULL && dkim_key_is_domain(options->selector) &&
	    (options->domain == NULL || dkim_key_is_domain(options->domain));
}

/* ---- keys ---- */

/* A resource record; without a domain its data only. */
static int
dkim_key_print(struct arena *arena, EVP_PKEY *key, const char *selector, const char *domain)
{
	const char *text = dkim_record_text(arena, key);

	if (text == NULL)
		return EX_DATAERR;
	if (domain != NULL)
		printf("%s._domainkey.%s. IN TXT (", selector, domain);
	for (size_t left = strlen(text), length; left > 0; left -= length, text += length) {
		length = left < STRING_MOST ? left : STRING_MOST;
		printf("%s\"%.*s\"", domain != NULL ? "\n\t" : "", (int)length, text);
		if (domain == NULL)
			putchar(left > length ? ' ' : '\n');
	}
	if (domain != NULL)
		puts(" )");
	return EX_OK;
}

static EVP_PKEY *
dkim_key_make(const struct dkim_key_options *options)
{
	if (options->type.value == DKIM_KEY_ED25519)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_RSA_gen(options->bits);
}

/* Not even for a moment may others read it. */
static bool
dkim_key_write(EVP_PKEY *key, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool is_written = to != NULL &&
	    PEM_write_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(to) == 0 &&
	    fsync(fd) == 0;
	int error = errno;

	if (to != NULL && fclose(to) != 0)
		is_written = false;
	if (is_written)
		return true;
	fprintf(stderr, "postern dkim-key: %s: %s\n", path, strerror(error));
	if (fd >= 0)
		unlink(path);
	return false;
}

static int
dkim_key_new(struct arena *arena, const struct dkim_key_options *options)
{
	const char *domain = options->subject;
	const char *path = options->out != NULL
	    ? options->out
	    : arena_format(arena, "%s.%s.pem", domain, options->selector);

	if (!dkim_key_is_domain(domain))
		return EX_USAGE;
	EVP_PKEY *key = dkim_key_make(options);
	int status = EX_SOFTWARE;

	if (key != NULL)
		status = dkim_key_write(key, path) ? EX_OK : EX_CANTCREAT;
	if (status == EX_OK) {
		printf("; The private key is in %s. In DNS:\n", path);
		dkim_key_print(arena, key, options->selector, domain);
		printf("; As soon as the record can be asked for, in postern.yaml:\n"
		       ";   filters:\n;     dkim:\n;       sign:\n"
		       ";         - { domain: %s, selector: %s, key: %s }\n",
		    domain, options->selector, path);
	}
	EVP_PKEY_free(key);
	return status;
}

static int
dkim_key_show(struct arena *arena, const struct dkim_key_options *options)
{
	const char *why;
	EVP_PKEY *key = dkim_sign_read_key(arena, options->subject, &why);

	if (key != NULL)
		return dkim_key_print(arena, key, options->selector, options->domain);
	fprintf(stderr, "postern dkim-key: %s\n", why);
	return EX_DATAERR;
}

int
dkim_key_main(const char *file, int argc, char **argv)
{
	struct dkim_key_options options;
	struct arena *arena = arena_new(SIZE_MAX);
	int status = EX_USAGE;

	(void)file;
	if (argc < 3 || !dkim_key_read(&options, argc, argv))
		dkim_key_usage();
	else if (strcmp(argv[1], "new") == 0)
		status = dkim_key_new(arena, &options);
	else if (strcmp(argv[1], "show") == 0)
		status = dkim_key_show(arena, &options);
	else
		dkim_key_usage();
	arena_free(arena);
	return status;
}
