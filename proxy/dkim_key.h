/*
 * dkim_key: `postern dkim-key`: keys to sign mail with.
 *
 *	new DOMAIN	makes a key, in a file that only its owner can read and that must not be
 *			there yet, and prints what belongs into DNS and into the configuration
 *	show FILE	prints what belongs into DNS for a key that is there; with --domain the
 *			name of the record, too
 *
 *	--selector S	the record is S._domainkey.DOMAIN ("s1")
 *	--type T	rsa or ed25519 (rsa, for not everybody can verify the other)
 *	--bits N	of an RSA key, 1024 to 4096 (2048)
 *	--out FILE	where the key goes (DOMAIN.SELECTOR.pem)
 *	--domain DOMAIN	for show
 *
 * DNS records are printed as a zone file has them, in strings of at most 255 octets.
 */
#pragma once

/* argv[0] is "dkim-key"; file is not read. The exit status: 0, 64 for wrong words, 65 a file
 * that holds no such key, 73 the file cannot be made. */
int dkim_key_main(const char *file, int argc, char **argv);
