/*
 * Replays a fuzz target without libFuzzer: each argument is a file, or a folder whose files are
 * taken (not those of folders in it). What the target finds ends the program, as it does when
 * fuzzing; the name of the input is then the last line of the output.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
driver_fail(const char *path)
{
	perror(path);
	exit(2);
}

/* The input gets a block of its own, so that AddressSanitizer sees a read beyond its end. */
static void
driver_replay(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size + 1);

	if (file == NULL || data == NULL || fread(data, 1, size, file) != size)
		driver_fail(path);
	fclose(file);
	data = realloc(data, size > 0 ? size : 1);
	if (data == NULL)
		driver_fail(path);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static size_t
driver_replay_folder(const char *folder)
{
	struct dirent **names;
	int total = scandir(folder, &names, NULL, alphasort);
	size_t count = 0;

	if (total < 0)
		driver_fail(folder);
	for (int i = 0; i < total; i++) {
		char path[4096];
		struct stat info;

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
			driver_replay(path, (size_t)info.st_size);
			count++;
		}
		free(names[i]);
	}
	free(names);
	return count;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat info;

		if (stat(argv[i], &info) != 0)
			driver_fail(argv[i]);
		if (S_ISDIR(info.st_mode)) {
			count += driver_replay_folder(argv[i]);
		} else {
			driver_replay(argv[i], (size_t)info.st_size);
			count++;
		}
	}
	printf("%zu inputs\n", count);
	return 0;
}
