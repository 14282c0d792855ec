// Aligned tables for people. Columns are as wide as what is in them; widths count cells of the terminal, not bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "clients/cli/cli.h"

struct cli_table {
	bool color, titled;
	size_t columns, rows, capacity;
	char **cells; // rows * columns, the titles first
};

static size_t display_width(const char *text)
{
	size_t width = 0;
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
	while (*at) {
		utf8proc_int32_t point;
		utf8proc_ssize_t step = utf8proc_iterate(at, -1, &point);
		if (step <= 0)
			return width + strlen((const char *)at);
		int cells = utf8proc_charwidth(point);
		width += cells > 0 ? (size_t)cells : 0;
		at += step;
	}
	return width;
}

struct cli_table *cli_table_new(struct cli *cli, size_t columns, const char *const *titles)
{
	struct cli_table *table = calloc(1, sizeof(*table));
	if (!table)
		abort();
	table->columns = columns;
	table->color = cli->color;
	table->titled = titles != NULL;
	if (titles)
		cli_table_row(table, titles);
	return table;
}

void cli_table_row(struct cli_table *table, const char *const *cells)
{
	if (table->rows == table->capacity) {
		table->capacity = table->capacity ? 2 * table->capacity : 16;
		table->cells = realloc(table->cells, table->capacity * table->columns * sizeof(char *));
		if (!table->cells)
			abort();
	}
	for (size_t i = 0; i < table->columns; i++)
		table->cells[table->rows * table->columns + i] = cli_clean(cells[i] ? cells[i] : "");
	table->rows++;
}

static void print_row(const struct cli_table *table, size_t row, const size_t *widths)
{
	bool title = table->titled && row == 0;
	if (title && table->color)
		fputs("\033[1m", stdout);
	for (size_t i = 0; i < table->columns; i++) {
		const char *cell = table->cells[row * table->columns + i];
		fputs(cell, stdout);
		if (i + 1 < table->columns)
			printf("%*s", (int)(widths[i] - display_width(cell) + 2), "");
	}
	if (title && table->color)
		fputs("\033[0m", stdout);
	putchar('\n');
}

void cli_table_print(struct cli_table *table)
{
	size_t *widths = calloc(table->columns, sizeof(*widths));
	if (!widths)
		abort();
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		size_t width = display_width(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t row = 0; row < table->rows; row++)
		print_row(table, row, widths);
	fflush(stdout);
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(widths);
	free(table);
}
