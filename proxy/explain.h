/*
 * explain: `postern explain FILE.eml --ip A ...`: facts and verdict for a message in a file.
 *
 * The message goes through the whole pipeline as in a session with the first listener: facts
 * of the client, the HELO, the envelope and the text; the decisions at connect, for each
 * recipient and for the message; questions go to the resolver of the configuration. Nothing
 * is sent, no backend is asked, nothing is kept: the case number that a reply shows is made
 * up and cannot be looked up. Where the backend would answer, it is taken to agree.
 *
 *	FILE          the message as it would be sent, up to 256 MiB; "-" is the standard
 *	              input. Unix line ends throughout stand for CRLF.
 *	--ip A        the client's address
 *	--helo H      what it says in EHLO; its address in brackets if not given
 *	--from F      the sender; the null sender if not given
 *	--rcpt R      a recipient, as often as wanted; <postmaster> if not given
 *	--user U      whom the backend has authenticated
 *	--tls V       the session is encrypted: TLSv1.2, TLSv1.3
 *	--json        the record as one JSON object: of the message, or of
 *	              the refusal where no recipient is left; `reply` is null where the client
 *	              would hear the backend's own. Besides it `parts` and `uris`, of what was
 *	              read of the message, whether or not filters look at them
 *
 * Facts are gathered to the end, also those that a session would not wait for or, after a
 * refusal at RCPT, would not come to; the verdict is the session's. No decision waits longer
 * than timeouts.facts.
 *
 * Exit status: 0, whatever the verdict; 64 wrong words, 66 the file cannot be read, 69 the
 * resolver cannot start, 78 the configuration is faulty.
 */
#pragma once

/* argv[0] is "explain". */
int explain_main(const char *file, int argc, char **argv);
