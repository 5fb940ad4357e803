#include "proxy/tarpit.h"

static struct seconds
tarpit_delay(const struct session *session)
{
	unsigned times = 1 + session->errors + session->refusals;
	double unit = session->worker->config->limits.tarpit.value;
	double delay = unit * (times < TARPIT_TIMES ? times : TARPIT_TIMES);

	return (struct seconds) { delay < TARPIT_SECONDS ? delay : TARPIT_SECONDS };
}

enum step
tarpit(struct session *session)
{
	struct seconds delay = tarpit_delay(session);

	bool is_over =
	    delay.value <= 0 || session->client.user != NULL || session->worker->is_ending;

	if (is_over && !session->is_slowed)
		return NEXT;
	if (!session->is_slowed) {
		session_arrived(session); /* the limit for the command was another wait */
		session->is_slowed = true;
		session_await(session, delay);
	}
	if (!session->is_late && !is_over)
		return WAIT;
	session->is_slowed = false;
	session_arrived(session);
	return NEXT;
}
