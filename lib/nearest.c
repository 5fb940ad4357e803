#include "lib/nearest.h"

#include <stdint.h>
#include <string.h>

struct nearest
nearest_to(const char *word)
{
	return (struct nearest) { .word = word };
}

static size_t
nearest_limit(const char *word)
{
	size_t length = strlen(word);

	return length < 2 ? 0 : length < 5 ? 1 : length / 3 + 1;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* step[i][j]: from the first i letters of a to the first j of b. */
size_t
nearest_distance(const char *a, const char *b)
{
	size_t step[NEAREST_LENGTH + 1][NEAREST_LENGTH + 1];
	size_t rows = strlen(a), columns = strlen(b);

	if (rows > NEAREST_LENGTH || columns > NEAREST_LENGTH)
		return SIZE_MAX;
	for (size_t i = 0; i <= rows; i++) {
		step[i][0] = i;
		for (size_t j = 1; j <= columns; j++) {
			if (i == 0) {
				step[i][j] = j;
				continue;
			}
			size_t changed = step[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			step[i][j] = smaller(changed, smaller(step[i - 1][j], step[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				step[i][j] = smaller(step[i][j], step[i - 2][j - 2] + 1);
		}
	}
	return step[rows][columns];
}

bool
nearest_offer(struct nearest *nearest, const char *name)
{
	size_t distance = nearest_distance(nearest->word, name);

	if (distance > nearest_limit(nearest->word))
		return false;
	if (nearest->name != NULL && distance >= nearest->distance)
		return false;
	nearest->name = name;
	nearest->distance = distance;
	return true;
}

const char *
nearest_of(const char *word, const char *const *names)
{
	struct nearest nearest = nearest_to(word);

	for (; *names != NULL; names++)
		nearest_offer(&nearest, *names);
	return nearest.name;
}
