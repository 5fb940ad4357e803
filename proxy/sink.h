/*
 * sink: `postern sink --listen ADDR:PORT --maildir DIR`.
 *
 * A small mail server that takes what it is sent, for anybody, and keeps it in a Maildir, byte
 * for byte as it came (line ends are CRLF, dots are unstuffed). To try things out with, and for
 * tests. It can be a strange backend, too: impatient (--idle), small (--size), and without
 * TLS.
 *
 *	--listen ADDR:PORT	where to listen; "*:2526": on every address
 *	--maildir DIR		where the mail goes; made if it is not there
 *	--cert FILE --key FILE	PEM; with both STARTTLS is offered
 *	--size N		the longest message, as 5000 or 25M (default 100M; 0: no limit)
 *	--idle SECONDS		how long it waits for a client that says nothing (300)
 *	--hostname NAME		what it calls itself (the machine's name)
 *	--envelope		puts X-Sink-From and X-Sink-To fields in front of the message
 *
 * For each message, a line on stdout, after its rename into DIR/new and before its 250:
 *
 *	kept NAME from=<a@example.org> to=<c@example.com>,<d@example.com> size=312 tls=TLSv1.3
 *
 * size: bytes of the message, without --envelope's fields; tls=no: it came in plain text.
 * A disk that fails is the answer 451 or 452. SIGTERM and SIGINT end it; sessions get 421, and
 * messages that are not yet whole leave nothing behind.
 */
#pragma once

/* argv[0] is "sink"; file is not read. Until a signal comes; the exit status: 0, 64 for wrong
 * words, 66 certificate or key, 69 the address, 73 the Maildir. */
int sink_main(const char *file, int argc, char **argv);
