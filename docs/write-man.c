/*
 * write-man: prints the manual page postern.yaml(5), for the Makefile.
 *
 * The page is made from the tables by which the configuration is read, so it names what this
 * postern has, and nothing else.
 */
#include "rules/config.h"

int
main(void)
{
	config_write_man(stdout);
	return fflush(stdout) != 0;
}
