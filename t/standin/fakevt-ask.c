/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-ask.c - the client of the stand-in VirusTotal's control, for shell tests. */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "fakevt.h"

#define REPLY_MAX (1 << 20)

/* The body of the answer to <method> /_control/<path>, NULL if it cannot be had; *status_r: HTTP's. */
static char *talk(int port, const char *method, const char *path, const char *body, int *status_r)
{
	GSocketClient *client = g_socket_client_new();
	GSocketConnection *c;
	char *request, *reply = g_malloc0(REPLY_MAX + 1), *end, *text;
	gsize len = 0;

	*status_r = 0;
	c = g_socket_client_connect_to_host(client, "127.0.0.1", (guint16)port, NULL, NULL);
	request = g_strdup_printf("%s /_control/%s HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s", method, path,
				  strlen(body), body);
	if (c && g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(c)), request, strlen(request),
					   NULL, NULL, NULL))
		g_input_stream_read_all(g_io_stream_get_input_stream(G_IO_STREAM(c)), reply, REPLY_MAX, &len, NULL,
					NULL);
	if (g_str_has_prefix(reply, "HTTP/1.") && len > 12)
		*status_r = atoi(reply + 9);
	end = strstr(reply, "\r\n\r\n");
	text = end ? g_strdup(end + 4) : NULL;
	g_clear_object(&c);
	g_object_unref(client);
	g_free(request);
	g_free(reply);
	return text;
}

static int report(int port, const char *method, const char *path, const char *body)
{
	int status;
	char *reply = talk(port, method, path, body, &status);

	if (reply)
		fputs(reply, status == 200 ? stdout : stderr);
	else
		fprintf(stderr, "fakevt: nobody answers on port %d\n", port);
	g_free(reply);
	return status == 200 ? 0 : 1;
}

/* Replaces all faults. */
static int set_delay(int port, const char *ms)
{
	char *fault = g_strconcat("delay=", ms, NULL);
	int rc = report(port, "POST", "fault", "none");

	if (!rc && strcmp(ms, "0"))
		rc = report(port, "POST", "fault", fault);
	g_free(fault);
	return rc;
}

int fake_ask(int port, char **words)
{
	const char *command = words[0] ? words[0] : "stats";
	char *rest = words[0] ? g_strjoinv(" ", words + 1) : g_strdup("");
	int rc = 64;

	if (!strcmp(command, "stats"))
		rc = report(port, "GET", strcmp(rest, "json") ? "counters" : "stats", "");
	else if (!strcmp(command, "add") || !strcmp(command, "set"))
		rc = report(port, "POST", "set", rest);
	else if (!strcmp(command, "fault"))
		rc = report(port, "POST", "fault", rest);
	else if (!strcmp(command, "reset"))
		rc = report(port, "POST", "reset", rest);
	else if (!strcmp(command, "delay") && *rest)
		rc = set_delay(port, rest);
	else
		fprintf(stderr, "fakevt: unknown command %s; see --help\n", command);
	g_free(rest);
	return rc;
}
