/*
 * suffix: which part of a name was registered by somebody?
 *
 * By the Public Suffix List (publicsuffix.org, libpsl): of "a.mail.example.co.uk" it is
 * "example.co.uk", since under "co.uk" anybody may register. The newest list on the machine is
 * used, or the one that libpsl was built with.
 */
#pragma once

/* Takes in the list; else the first question does. */
void suffix_load(void);

/* The registered domain of a name of DNS in lower case, without a last dot; within `name`.
 * NULL: it has none (a suffix itself, an address, one label). */
const char *suffix_registered(const char *name);
