/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a command line by a table. Not getopt_long: what follows the first operand must stay untouched for the guest
 * whatever POSIXLY_CORRECT says, abbreviations would become interface by accident, and an unknown option should name
 * the one that was probably meant.
 */
#include "options.h"

#include <string.h>

#include "message.h"
#include "text.h"

static const struct wk_option *find_letter(const struct wk_option *table, char letter)
{
	for (; table->id; table++)
		if (table->letter && table->letter == letter)
			return table;
	return NULL;
}

static const struct wk_option *find_name(const struct wk_option *table, const char *name, size_t length)
{
	for (; table->id; table++)
		if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
			return table;
	return NULL;
}

static int unknown(const struct wk_options *options, const char *word)
{
	const char *names[48];
	const char *near;
	size_t count = 0;
	char name[64];

	for (const struct wk_option *o = options->table; o->id && count + 1 < WK_COUNT(names); o++)
		names[count++] = o->name;
	names[count] = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word[1] == '-' ? word + 2 : "");
	near = wk_text_nearest(name, names);
	if (near)
		wk_message("unknown option '%s': did you mean --%s?", word, near);
	else
		wk_message("unknown option '%s'", word);
	wk_message_see_help(options->command);
	return WK_OPTION_WRONG;
}

int wk_options_next(struct wk_options *options)
{
	const struct wk_option *option = NULL;
	const char *word, *equals = NULL, *attached = NULL;

	options->value = NULL;
	if (options->ended || options->next >= options->count)
		return WK_OPTION_END;
	word = options->words[options->next];
	if (word[0] != '-' || word[1] == 0) /* "-" is standard input */
		return WK_OPTION_END;
	if (strcmp(word, "--") == 0) {
		options->next++;
		options->ended = true;
		return WK_OPTION_END;
	}
	if (word[1] == '-') {
		equals = strchr(word, '=');
		option = find_name(options->table, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
	} else {
		option = find_letter(options->table, word[1]);
		attached = word[2] ? word + 2 : NULL;
		if (attached && option && (!option->value || option->value[0] == '['))
			option = NULL;
	}
	if (!option)
		return unknown(options, word);
	options->next++;
	if (equals && !option->value) {
		wk_message("option --%s takes no value", option->name);
		wk_message_see_help(options->command);
		return WK_OPTION_WRONG;
	}
	if (equals || attached) {
		options->value = equals ? equals + 1 : attached;
	} else if (option->value && option->value[0] != '[') {
		if (options->next >= options->count) {
			wk_message("option --%s needs a value: --%s %s", option->name, option->name, option->value);
			wk_message_see_help(options->command);
			return WK_OPTION_WRONG;
		}
		options->value = options->words[options->next++];
	}
	return option->id;
}

const char *wk_options_operand(struct wk_options *options)
{
	return options->next < options->count ? options->words[options->next++] : NULL;
}

void wk_options_help(FILE *out, const struct wk_option *table)
{
	const int column = 26;

	for (; table->id; table++) {
		int used;
		const char *line = table->help;

		if (table->letter)
			used = fprintf(out, "  -%c, --%s", table->letter, table->name);
		else
			used = fprintf(out, "      --%s", table->name);
		if (table->value)
			used += fprintf(out, "%s%s", table->value[0] == '[' ? "" : " ", table->value);
		if (used + 2 > column) {
			fputc('\n', out);
			used = 0;
		}
		for (;;) {
			size_t length = strcspn(line, "\n");

			fprintf(out, "%*s%.*s\n", column - used, "", (int)length, line);
			used = 0;
			if (!line[length])
				break;
			line += length + 1;
		}
	}
}
