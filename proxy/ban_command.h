/*
 * ban_command: `postern ban`, `postern unban` and `postern bans`.
 *
 *	postern ban IP|NETWORK [--for 1h] [--reason TEXT]
 *	postern unban IP|NETWORK
 *	postern bans [--json]
 *
 * They ask the running postern by its control socket. A ban lasts an hour if nothing else is
 * said. Refused is what would ban the machine itself, the mail servers behind (those that the
 * configuration has by name are looked up) or relay: networks:. The list comes in pages, so
 * that it may be long without making anybody wait; --json makes an array of it.
 */
#pragma once

/* argv[0] is the command's name. Exit statuses as in sysexits. */
int ban_main(const char *file, int argc, char **argv);
int unban_main(const char *file, int argc, char **argv);
int bans_main(const char *file, int argc, char **argv);
