#include "lib/id.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

enum { ID_LENGTH = ID_SIZE - 1 };

static const char id_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Never shared with a forked process: filled again when the pid is another. */
static struct {
	pthread_mutex_t lock;
	pid_t pid;
	size_t used;
	uint8_t bytes[256];
} id_pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .used = sizeof(id_pool.bytes) };

static void
id_pool_fill(void)
{
	ssize_t count;

	do
		count = getrandom(id_pool.bytes, sizeof(id_pool.bytes), 0);
	while (count < 0 && errno == EINTR);
	assert(count == sizeof(id_pool.bytes)); /* promised up to 256 bytes */
	id_pool.used = 0;
	id_pool.pid = getpid();
}

static uint64_t
id_pool_take(size_t count)
{
	uint64_t value = 0;

	pthread_mutex_lock(&id_pool.lock);
	if (id_pool.used + count > sizeof(id_pool.bytes) || id_pool.pid != getpid())
		id_pool_fill();
	for (size_t i = 0; i < count; i++)
		value = value << 8 | id_pool.bytes[id_pool.used++];
	pthread_mutex_unlock(&id_pool.lock);
	return value;
}

const char *
id_make(char out[ID_SIZE])
{
	uint64_t value = id_pool_take(5);

	for (int i = 0; i < ID_LENGTH; i++, value >>= 5)
		out[i] = id_digits[value & 31];
	out[ID_LENGTH] = '\0';
	return out;
}

static char
id_digit(char typed)
{
	char letter = (char)toupper((unsigned char)typed);

	if (letter == 'O')
		return '0';
	if (letter == 'I' || letter == 'L')
		return '1';
	return letter;
}

static bool
id_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool
id_read(char out[ID_SIZE], struct slice text)
{
	while (text.length > 0 && id_is_space(text.data[0]))
		text = (struct slice) { .data = text.data + 1, .length = text.length - 1 };
	while (text.length > 0 && id_is_space(text.data[text.length - 1]))
		text.length--;
	out[0] = '\0';
	if (text.length != ID_LENGTH)
		return false;
	for (int i = 0; i < ID_LENGTH; i++) {
		char digit = id_digit(text.data[i]);

		if (memchr(id_digits, digit, sizeof(id_digits) - 1) == NULL) {
			out[0] = '\0';
			return false;
		}
		out[i] = digit;
	}
	out[ID_LENGTH] = '\0';
	return true;
}
