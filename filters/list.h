/*
 * list: all filters, one line each, in the order in which they run.
 *
 * FILTER(name) stands for `const struct filter name_filter` in filters/name.c; see
 * registry.h.
 */

FILTER(ip_list)
FILTER(ptr)
FILTER(dnsbl)
FILTER(helo)
FILTER(greylist)
FILTER(rate)
FILTER(smtp)
FILTER(relay)
FILTER(spf)
FILTER(dkim)
FILTER(arc)
FILTER(dmarc)
FILTER(surbl)
FILTER(mime)
FILTER(rule)
FILTER(clamav)
FILTER(rspamd)
FILTER(spamassassin)
