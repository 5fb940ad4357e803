/*
 * The shipped patterns for generic names: names of lines that must match, and names of mail
 * servers that must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/patterns.h"
#include "lib/yaml.h"

static const char *const lines[] = {
	"pool-72-94-12-33.phlapa.fios.verizon.net",
	"static-72-94-12-33.phlapa.fios.verizon.net",
	"c-73-212-44-12.hsd1.va.comcast.net",
	"cpe-76-89-12-33.socal.res.rr.com",
	"syn-076-089-012-033.res.spectrum.com",
	"adsl-68-20-12-33.dsl.chcgil.ameritech.net",
	"mobile-166-170-12-33.mycingular.net",
	"ip68-12-33-44.oc.oc.cox.net",
	"p5b2c3d4e.dip0.t-ipconnect.de",
	"p200300c1af12340011223344556677.dip0.t-ipconnect.de",
	"ip5f5ac212.dynamic.kabel-deutschland.de",
	"dslb-088-066-012-033.088.066.pools.vodafone-ip.de",
	"xdsl-87-78-12-33.nc.de",
	"HSI-KBW-46-223-12-33.hsi.kabel-badenwuerttemberg.de",
	"static.88-198-12-33.clients.your-server.de",
	"host86-130-12-33.range86-130.btcentralplus.com",
	"cpc12345-bagu15-2-0-cust123.1-3.cable.virginm.net",
	"lfbn-lyo-1-123-45.w86-200.abo.wanadoo.fr",
	"static-css-csd-123.business.bouyguestelecom.com.12.33.44.55.abo.example.fr",
	"93-34-12-33.ip49.fastwebnet.it",
	"host-79-12-33-44.retail.telecomitalia.it",
	"33.red-83-12-44.dynamicip.rima-tde.net.83-12-44-33.example.es",
	"78.188.12.33.dynamic.ttnet.com.tr",
	"cable-178-149-12-33.dynamic.sbb.rs",
	"46-116-12-33.bb.netvision.net.il",
	"201-43-12-33.dsl.telesp.net.br",
	"177.12.33.44.dynamic.adsl.gvt.net.br",
	"dsl-187-134-12-33-dyn.prod-infinitum.com.mx",
	"abts-north-dynamic-033.12.33.122.airtelbroadband.in",
	"ppp-171-96-12-33.revip2.asianet.co.th",
	"1-34-12-33.hinet-ip.hinet.net",
	"061093012044.ctinets.com",
	"host123.dsl.example.net",
	"user-0c8h123.cable.mindspring.com",
	"dynamic-ip-1812233.cable.net.co",
	"static.vnpt.vn",
	"ec2-54-12-33-44.compute-1.amazonaws.com",
	"44.12.33.54.bc.googleusercontent.com",
	"ns3012345.ip-51-68-12.eu",
	"localhost",
	"localhost.localdomain",
	"unassigned.example.net",
	"no-reverse-dns-configured.com",
	"no-rdns.example.com",
};

static const char *const servers[] = {
	"mail-wr1-f54.google.com",
	"mail-ej1-x62d.google.com",
	"mail-sor-f41.google.com",
	"mail-eopbgr80104.outbound.protection.outlook.com",
	"mail-db5eur03on0106.outbound.protection.outlook.com",
	"mail-he1eur01lp2054.outbound.protection.outlook.com",
	"sonic310-21.consmr.mail.ne1.yahoo.com",
	"out-20.smtp.github.com",
	"o1678974x12.outbound-mail.sendgrid.net",
	"wrqvtvsc.outbound-mail.sendgrid.net",
	"a8-12.smtp-out.amazonses.com",
	"e240-50.smtp-out.us-east-2.amazonses.com",
	"a4-1.smtp-out.eu-west-1.amazonses.com",
	"mail180-5.suw31.mandrillapp.com",
	"mail133-5.atl131.mandrillapp.com",
	"m198-176.mailgun.net",
	"mta-70-20-15-44.sparkpostmail.com",
	"mx0a-001b2d01.pphosted.com",
	"us-smtp-delivery-124.mimecast.com",
	"mout.kundenserver.de",
	"mout.gmx.net",
	"mo4-p00-ob.smtp.rzone.de",
	"mailout07.t-online.de",
	"relay7-d.mail.gandi.net",
	"out5-smtp.messagingengine.com",
	"wout3-smtp.messagingengine.com",
	"smtp-out-1.mailbox.org",
	"bendel.debian.org",
	"vger.kernel.org",
	"lists.sourceforge.net",
	"smtp04-ia4-sp1.mta.salesforce.com",
	"server12.example-hosting.com",
	"web123.static.example.org",
	"mail.dynamics.com",
	"smtp.dyn.com",
	"mx1.dyndns.org",
	"smtp.dsl.pipex.com",
	"mail2.cablevision.com.ar",
	"exchange.res.example.com",
	"gate1.pool.example.net",
	"cable.example.com",
	"ns1.pool.ntp.org",
	"box.mobile.example.com",
	"mx-1-2-3-4.example.com",
	"relay12.home-server.example.com",
	"v6.example.com",
	"deadbeef.example.com",
	"host.example.com",
	"a.mx",
};

static const struct regex *
shipped(struct arena *arena)
{
	const char *source = getenv("POSTERN_SOURCE");
	struct faults faults;
	struct option_reader reader = { .arena = arena, .faults = &faults };
	struct patterns patterns = { NULL };
	const char *yaml = arena_format(
	    arena, "{ file: %s/rules/defaults/generic-ptr.re }", source != NULL ? source : ".");

	faults_init(&faults, arena);
	const struct node *node = yaml_read(arena, "t.yaml", slice_of(yaml), NULL, &faults);

	if (node == NULL || !patterns_read(&reader, node, &patterns))
		faults_print(&faults, stderr);
	assert_int_equal(faults.count, 0);
	return patterns.set;
}

static void
test_lines(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct regex *set = shipped(arena);
	size_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (regex_find(set, slice_of(lines[i]), &number) != REGEX_YES)
			fail_msg("%s is not generic", lines[i]);
	arena_free(arena);
}

static void
test_servers(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct regex *set = shipped(arena);
	size_t number = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (regex_find(set, slice_of(servers[i]), &number) != REGEX_NO)
			fail_msg("%s is generic: %s", servers[i], regex_place(set, number));
	arena_free(arena);
}

/* Every pattern is there for a name above. */
static void
test_none_is_idle(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct regex *set = shipped(arena);

	(void)state;
	for (size_t number = 0; number < regex_count(set); number++) {
		size_t matches = 0;

		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			matches += regex_match(set, number, slice_of(lines[i])) == REGEX_YES;
		if (matches == 0)
			fail_msg("%s matches none of the names", regex_place(set, number));
	}
	arena_free(arena);
}

/* Names that were made to take long are over within the limit of steps. */
static void
test_nasty(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct regex *set = shipped(arena);
	char name[254];
	size_t number;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		static const char *const pieces[] = { "1-", "1.", "dyn-1", "12.dsl-" };
		size_t length = strlen(pieces[kind]);

		for (size_t i = 0; i < sizeof(name) - 1; i++)
			name[i] = pieces[kind][i % length];
		name[sizeof(name) - 1] = '\0';
		assert_int_not_equal(regex_find(set, slice_of(name), &number), REGEX_LIMIT);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_none_is_idle),
		cmocka_unit_test(test_nasty),
	};

	return cmocka_run_group_tests_name("generic_ptr", tests, NULL, NULL);
}
