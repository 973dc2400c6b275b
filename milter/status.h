/* SPDX-License-Identifier: BSD-2-Clause */
/* status.h - the state of the daemon, for vtmilterctl status. */
#ifndef VTM_STATUS_H
#define VTM_STATUS_H

/* One line of JSON, new string.  vtmilterctl(8) documents the members.  Any thread. */
char *vtm_status(void);

#endif
