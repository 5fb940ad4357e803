#include "lib/smtp_fault.h"

#include <stdio.h>

const char *
smtp_fault_format(char text[SMTP_FAULT_MOST], const struct smtp_fault *fault)
{
	snprintf(text, SMTP_FAULT_MOST, "%d %s %s", fault->code, fault->enhanced, fault->text);
	return text;
}
