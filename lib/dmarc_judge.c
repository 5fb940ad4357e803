#include "lib/dmarc_judge.h"

#include <stdint.h>
#include <stdio.h>

#include <sys/types.h>
#include <opendmarc/dmarc.h>

/* The library takes no const, and does not write. */
static u_char *
dmarc_text(const char *text)
{
	return (u_char *)(uintptr_t)text;
}

static enum dmarc_outcome
dmarc_outcome(OPENDMARC_STATUS_T status)
{
	switch (status) {
	case DMARC_POLICY_PASS:
		return DMARC_PASSES;
	case DMARC_POLICY_NONE:
		return DMARC_FAILS_NONE;
	case DMARC_POLICY_QUARANTINE:
		return DMARC_FAILS_QUARANTINE;
	case DMARC_POLICY_REJECT:
		return DMARC_FAILS_REJECT;
	default:
		return DMARC_IS_OUT_OF_ORDER;
	}
}

enum dmarc_outcome
dmarc_judge(const char *author, enum dmarc_policy policy, bool spf_is_aligned, bool dkim_is_aligned)
{
	DMARC_POLICY_T *context = opendmarc_policy_connect_init(dmarc_text("0.0.0.0"), 0);
	OPENDMARC_STATUS_T status;
	char record[64];

	if (context == NULL)
		return DMARC_IS_OUT_OF_ORDER;
	snprintf(record, sizeof(record), "v=DMARC1; p=%s; sp=%s", dmarc_policy_word(policy),
	    dmarc_policy_word(policy));
	status =
	    opendmarc_policy_store_dmarc(context, dmarc_text(record), dmarc_text(author), NULL);
	if (status == DMARC_PARSE_OKAY && spf_is_aligned)
		status = opendmarc_policy_store_spf(context, dmarc_text(author),
		    DMARC_POLICY_SPF_OUTCOME_PASS, DMARC_POLICY_SPF_ORIGIN_MAILFROM, NULL);
	if (status == DMARC_PARSE_OKAY && dkim_is_aligned)
		status = opendmarc_policy_store_dkim(
		    context, dmarc_text(author), NULL, DMARC_POLICY_DKIM_OUTCOME_PASS, NULL);
	if (status == DMARC_PARSE_OKAY)
		status = opendmarc_get_policy_to_enforce(context);
	opendmarc_policy_connect_shutdown(context);
	return dmarc_outcome(status);
}
