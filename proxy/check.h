/*
 * check: `postern check [--print] [--live]`.
 *
 * Reads the configuration completely, without serving anything. Faults go to stderr, one per
 * line, as file:line:column: words, and the exit status is 78 (EX_CONFIG). Otherwise 0, and
 * on stdout what postern would do: listeners, backend, filters, rules, certificates; what is
 * probably not meant is a warning on stderr. --print writes the configuration as it was
 * understood, defaults and all, as YAML, instead.
 *
 * --live asks what it names besides (check_live.h): name servers, backends, DNS lists. The exit
 * status is 69 (EX_UNAVAILABLE) if any of them fails.
 */
#pragma once

/* argv[0] is "check". */
int check_main(const char *file, int argc, char **argv);
