/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses a JSON document (RFC 8259) into a tree and walks it. The document is written before: records as a web service
 * sends them, with names, tags, coordinates, nested objects and escaped characters. The writer keeps count of what it
 * wrote, and the tree must have the same. */
#include "kernel.h"

enum { RECORDS = 600, TEXT = 210000, NODES = 12000, STRINGS = 200000, DEPTH = 32 };

enum type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct node {
    enum type type;
    uint32_t name, name_length; /* of a member of an object, in strings[] */
    uint32_t text, text_length; /* of a string */
    double number;
    struct node *first, *next; /* the first child; the next one of the same parent */
};

static char text[TEXT];
static size_t length;

static struct node nodes[NODES];
static char strings[STRINGS];
static uint32_t node_count, string_length;

/* What the writer wrote and what the walk finds. */
struct totals {
    uint64_t values, members, characters, truths;
    int64_t thousandths; /* the sum of all numbers */
};

/* ---- the writer ---- */

static struct totals written;
static struct kernel_random chance = { 31 };

static void put(const char *more)
{
    while (*more != 0 && length < TEXT)
        text[length++] = *more++;
}

static void put_digits(uint64_t number, int at_least)
{
    char digits[20];
    int n = 0;
    for (; number != 0 || n < at_least; number /= 10)
        digits[n++] = (char)('0' + number % 10);
    while (n > 0 && length < TEXT)
        text[length++] = digits[--n];
}

/* In one of the forms that a number can have. */
static void put_number(int64_t thousandths)
{
    uint64_t size = thousandths < 0 ? (uint64_t)-thousandths : (uint64_t)thousandths;
    put(thousandths < 0 ? "-" : "");
    if (size % 1000 == 0) {
        put_digits(size / 1000, 1);
    } else if (size % 16 == 0) {
        put_digits(size, 1);
        put("e-3");
    } else {
        put_digits(size / 1000, 1);
        put(".");
        put_digits(size % 1000, 3);
    }
    written.values++;
    written.thousandths += thousandths;
}

/* Some words, with a character that has to be escaped now and then. */
static void put_string(uint32_t words)
{
    static const char *const vocabulary[] = { "secure", "enclave", "module", "memory", "guard", "page", "table", "of",
        "the", "and", "interpreter", "board" };
    static const char *const escaped[] = { "\\n", "\\\"", "\\\\", "\\u00e9", "\\u20ac", "\\/" };
    static const uint8_t bytes[] = { 1, 1, 1, 2, 3, 1 }; /* of the characters, as UTF-8 */
    put("\"");
    while (words-- > 0) {
        const char *word = vocabulary[kernel_below(&chance, sizeof vocabulary / sizeof vocabulary[0])];
        put(word);
        written.characters += strlen(word);
        if (kernel_below(&chance, 8) == 0) {
            uint32_t which = kernel_below(&chance, sizeof bytes);
            put(escaped[which]);
            written.characters += bytes[which];
        }
        if (words > 0) {
            put(" ");
            written.characters++;
        }
    }
    put("\"");
    written.values++;
}

static void put_name(const char *before, const char *name)
{
    put(before);
    put("\"");
    put(name);
    put("\": ");
    written.members++;
}

static void put_truth(void)
{
    uint32_t which = kernel_below(&chance, 3);
    put(which == 0 ? "true" : which == 1 ? "false" : "null");
    written.truths += which == 0;
    written.values++;
}

static void put_record(uint32_t id)
{
    put(id == 0 ? "\n  {" : ",\n  {");
    put_name("", "id");
    put_number((int64_t)id * 1000);
    put_name(", ", "name");
    put_string(2);
    put_name(",\n   ", "active");
    put_truth();
    put_name(", ", "balance");
    put_number((int64_t)kernel_next(&chance) - 2000000000);
    put_name(",\n   ", "description");
    put_string(5 + kernel_below(&chance, 15));
    put_name(",\n   ", "tags");
    put("[");
    for (uint32_t i = 0, n = kernel_below(&chance, 7); i < n; i++) {
        put(i > 0 ? ", " : "");
        put_string(1);
    }
    put("]");
    put_name(",\n   ", "position");
    put("{");
    put_name("", "latitude");
    put_number((int64_t)kernel_below(&chance, 180000) - 90000);
    put_name(", ", "longitude");
    put_number((int64_t)kernel_below(&chance, 360000) - 180000);
    put_name(", ", "samples");
    put("[");
    for (uint32_t i = 0, n = kernel_below(&chance, 12); i < n; i++) {
        put(i > 0 ? ", " : "");
        put_number((int64_t)kernel_below(&chance, 100000));
    }
    put("]}}");
    written.values += 4; /* the record, the position, and two arrays */
}

static void write_document(void)
{
    put("{");
    put_name("", "version");
    put_number(2500);
    put_name(", ", "records");
    put("[");
    for (uint32_t id = 0; id < RECORDS; id++)
        put_record(id);
    put("\n]}\n");
    written.values += 2;
}

/* ---- the parser: each function takes and returns a place in the text, NULL for an error ---- */

static const char *end; /* of the text */

static const char *skip_space(const char *at)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

static const char *expect(const char *at, const char *word)
{
    for (; *word != 0; word++)
        if (at >= end || *at++ != *word)
            return NULL;
    return at;
}

static int is_digit(const char *at)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const char *parse_number(const char *at, double *number)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12 };
    int negative = *at == '-', exponent = 0, power = 0, sign = 1;
    uint64_t digits = 0; /* this document's numbers have few, so that one multiplication or division is exact enough */
    at += negative;
    if (!is_digit(at))
        return NULL;
    for (int leading_zero = *at == '0'; is_digit(at); at++) {
        digits = digits * 10 + (uint64_t)(*at - '0');
        if (leading_zero && is_digit(at + 1))
            return NULL;
    }
    if (at < end && *at == '.') {
        if (!is_digit(++at))
            return NULL;
        for (; is_digit(at); at++, exponent--)
            digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            sign = *at++ == '-' ? -1 : 1;
        if (!is_digit(at))
            return NULL;
        for (; is_digit(at) && power < 100; at++)
            power = power * 10 + (*at - '0');
    }
    exponent += sign * power;
    if (exponent < -12 || exponent > 12)
        return NULL;
    double value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    *number = negative ? -value : value;
    return at;
}

static const char *parse_hex(const char *at, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at >= end)
            return NULL;
        uint32_t letter = (uint32_t)(*at | 0x20) - 'a';
        if (!is_digit(at) && letter >= 6)
            return NULL;
        *code = *code << 4 | (is_digit(at) ? (uint32_t)(*at - '0') : letter + 10);
    }
    return at;
}

static int add_character(uint32_t character)
{
    if (string_length + 1 > STRINGS)
        return 0;
    strings[string_length++] = (char)character;
    return 1;
}

/* As UTF-8; a code of two surrogates is not in this document. */
static int add_code(uint32_t code)
{
    if (code < 0x80)
        return add_character(code);
    if (code < 0x800)
        return add_character(0xc0 | code >> 6) && add_character(0x80 | (code & 0x3f));
    return add_character(0xe0 | code >> 12) && add_character(0x80 | (code >> 6 & 0x3f)) &&
           add_character(0x80 | (code & 0x3f));
}

static const char *parse_escape(const char *at)
{
    uint32_t code;
    if (at >= end)
        return NULL;
    switch (*at++) {
    case 'b':
        code = '\b';
        break;
    case 'f':
        code = '\f';
        break;
    case 'n':
        code = '\n';
        break;
    case 'r':
        code = '\r';
        break;
    case 't':
        code = '\t';
        break;
    case '"':
    case '\\':
    case '/':
        code = (uint32_t)at[-1];
        break;
    case 'u':
        at = parse_hex(at, &code);
        break;
    default:
        return NULL;
    }
    return at != NULL && add_code(code) ? at : NULL;
}

static const char *parse_string(const char *at, uint32_t *start, uint32_t *size)
{
    *start = string_length;
    if (at >= end || *at++ != '"')
        return NULL;
    while (at != NULL && at < end && *at != '"') {
        if (*at == '\\')
            at = parse_escape(at + 1);
        else if ((uint8_t)*at < 0x20 || !add_character((uint8_t)*at++))
            return NULL;
    }
    *size = string_length - *start;
    return at != NULL && at < end ? at + 1 : NULL;
}

static const char *parse_value(const char *at, struct node *node, int depth);

/* Behind the bracket: children with commas between, to the bracket that closes. */
static const char *parse_children(const char *at, struct node *parent, int depth)
{
    char close = parent->type == JSON_ARRAY ? ']' : '}';
    struct node **link = &parent->first;
    at = skip_space(at);
    if (at < end && *at == close)
        return at + 1;
    while (node_count < NODES) {
        struct node *child = &nodes[node_count++];
        *link = child;
        link = &child->next;
        if (parent->type == JSON_OBJECT) {
            at = parse_string(at, &child->name, &child->name_length);
            at = at != NULL ? expect(skip_space(at), ":") : NULL;
            if (at == NULL)
                return NULL;
            at = skip_space(at);
        }
        at = parse_value(at, child, depth + 1);
        if (at == NULL)
            return NULL;
        at = skip_space(at);
        if (at < end && *at == close)
            return at + 1;
        at = expect(at, ",");
        if (at == NULL)
            return NULL;
        at = skip_space(at);
    }
    return NULL;
}

/* The node's name is there already. */
static const char *parse_value(const char *at, struct node *node, int depth)
{
    node->first = node->next = NULL;
    if (at >= end || depth > DEPTH)
        return NULL;
    switch (*at) {
    case '{':
    case '[':
        node->type = *at == '{' ? JSON_OBJECT : JSON_ARRAY;
        return parse_children(at + 1, node, depth);
    case '"':
        node->type = JSON_STRING;
        return parse_string(at, &node->text, &node->text_length);
    case 't':
        node->type = JSON_TRUE;
        return expect(at, "true");
    case 'f':
        node->type = JSON_FALSE;
        return expect(at, "false");
    case 'n':
        node->type = JSON_NULL;
        return expect(at, "null");
    default:
        node->type = JSON_NUMBER;
        return parse_number(at, &node->number);
    }
}

/* ---- the walk ---- */

static uint64_t hash(uint64_t sum, const char *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum = (sum ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t walk(const struct node *node, struct totals *totals, uint64_t sum)
{
    totals->values++;
    sum = kernel_mix(sum, node->type);
    switch (node->type) {
    case JSON_NUMBER: {
        double thousandths = node->number * 1000.0;
        totals->thousandths += (int64_t)(thousandths < 0.0 ? thousandths - 0.5 : thousandths + 0.5);
        return kernel_mix_reals(sum, &node->number, 1);
    }
    case JSON_STRING:
        totals->characters += node->text_length;
        return hash(sum, strings + node->text, node->text_length);
    case JSON_ARRAY:
    case JSON_OBJECT:
        for (const struct node *child = node->first; child != NULL; child = child->next) {
            if (node->type == JSON_OBJECT) {
                totals->members++;
                sum = hash(sum, strings + child->name, child->name_length);
            }
            sum = walk(child, totals, sum);
        }
        return sum;
    default:
        totals->truths += node->type == JSON_TRUE;
        return sum;
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 450);
    uint64_t sum = 0;
    write_document();
    end = text + length;
    while (repetitions-- > 0) {
        struct totals found = { 0 };
        node_count = 1;
        string_length = 0;
        const char *at = parse_value(skip_space(text), &nodes[0], 0);
        if (at == NULL || skip_space(at) != end)
            return kernel_report("json: wrong", 0);
        sum = walk(&nodes[0], &found, sum);
        if (memcmp(&found, &written, sizeof found) != 0)
            return kernel_report("json: wrong", found.values);
    }
    printf("%llu bytes, %llu values, %lld\n", (unsigned long long)length, (unsigned long long)written.values,
        (long long)written.thousandths);
    return kernel_report("json", sum);
}
