#include "lib/symbols.h"

#include <math.h>

#include "lib/log.h"

static const double symbols_score_most = 1e6;

bool
symbols_is_score(double score)
{
	return isfinite(score) && fabs(score) <= symbols_score_most;
}

void
symbols_add(struct symbols *symbols, struct slice name, double score)
{
	size_t at = symbols->count;

	if (!symbols_is_score(score))
		return;
	while (at > 0 && fabs(symbols->item[at - 1].score) < fabs(score))
		at--;
	if (at == SYMBOLS_MOST)
		return;
	if (symbols->count < SYMBOLS_MOST)
		symbols->count++;
	memmove(&symbols->item[at + 1], &symbols->item[at],
	    (symbols->count - 1 - at) * sizeof(symbols->item[0]));
	symbols->item[at].score = score;
	log_printable(symbols->item[at].name, SYMBOL_NAME_MOST, name);
}
