/*
 * master: reads the configuration, binds, forks the workers and looks after them.
 *
 * It carries no mail. A worker that dies is replaced (with a pause that doubles, up to half
 * a minute, when it dies at once again); a reload (SIGHUP, `postern reload`, a changed file
 * that the configuration names) begins a new generation and ends the old one in peace; a
 * configuration with a fault changes nothing and is reported. SIGTERM ends all in peace:
 * messages under way are finished, for up to a minute.
 */
#pragma once

/* Runs in the foreground until SIGTERM or SIGINT; the exit status, as in sysexits. */
int master_run(const char *file);
