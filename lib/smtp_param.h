/*
 * smtp_param: the parameters of MAIL and RCPT.
 *
 * One table row per parameter: where it may stand, which extension brings it, how its value is
 * checked. Faults: 555 5.5.4 for what is unknown, stands at the wrong command or belongs to an
 * extension that was not announced; 501 5.5.4 for a broken value and for a second one of the
 * same name; 552 5.3.4 for a SIZE over the limit. Two are taken leniently, as Postfix and Exim
 * both do: AUTH= also where AUTH was not announced, and more than one blank between parameters.
 *
 * The texts are kept, so that the line for the backend can be made of those that it has. They
 * point into the argument; smtp_params_copy() makes them last.
 *
 * RFC 1870 (SIZE), 6152 and 3030 (BODY), 6531 (SMTPUTF8), 3461 and 6533 (RET, ENVID, NOTIFY,
 * ORCPT), 4954 5 (AUTH).
 */
#pragma once

#include <stdint.h>

#include "lib/smtp_extension.h"
#include "lib/slice.h"
#include "lib/smtp_fault.h"

enum smtp_param {
	SMTP_PARAM_SIZE,
	SMTP_PARAM_BODY,
	SMTP_PARAM_SMTPUTF8,
	SMTP_PARAM_RET,
	SMTP_PARAM_ENVID,
	SMTP_PARAM_AUTH,
	SMTP_PARAM_NOTIFY,
	SMTP_PARAM_ORCPT,
	SMTP_PARAM_COUNT
};

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };

struct smtp_params {
	struct slice text[SMTP_PARAM_COUNT];  /* "SIZE=100"; length 0: not said */
	struct slice value[SMTP_PARAM_COUNT]; /* "100" */
	uint64_t size;                        /* of SIZE=, else 0; an estimate (RFC 1870 6.1) */
	enum smtp_body body;
};

static inline bool
smtp_params_has(const struct smtp_params *params, enum smtp_param param)
{
	return params->text[param].length > 0;
}

/*
 * Reads what smtp_path_read_...() left as rest. extensions: those announced to the client.
 * size_limit: octets, 0 for none. is_utf8: the transaction has SMTPUTF8 (for ORCPT).
 */
const struct smtp_fault *smtp_params_read_mail(struct smtp_params *params, struct slice text,
    uint32_t extensions, uint64_t size_limit) __attribute__((warn_unused_result));
const struct smtp_fault *smtp_params_read_rcpt(struct smtp_params *params, struct slice text,
    uint32_t extensions, bool is_utf8) __attribute__((warn_unused_result));

/* " SIZE=100 BODY=8BITMIME": those that a server with these extensions takes, or "". What the
 * caller does not want in it, it sets to length 0 before. */
const char *
smtp_params_format(struct arena *arena, const struct smtp_params *params, uint32_t extensions);

struct smtp_params smtp_params_copy(struct arena *arena, const struct smtp_params *params);
