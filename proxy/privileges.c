#include "proxy/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/log.h"

bool
privileges_drop(const char *user, const char *who)
{
	struct passwd *entry = user[0] != '\0' && geteuid() == 0 ? getpwnam(user) : NULL;

	if (geteuid() == 0 && user[0] != '\0') {
		if (entry == NULL || initgroups(user, entry->pw_gid) != 0 ||
		    setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0) {
			log_line(LEVEL_ERROR, who, "cannot become the user %s", user);
			return false;
		}
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
