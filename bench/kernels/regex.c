/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions: each is compiled to a program, which is run on a text in all its ways at once (Thompson's and
 * Pike's machine), so that no expression takes exponential time. The text is a log, made before; the count of matches
 * must be the number of such things that were written into it. */
#include "kernel.h"

enum { TEXT = 24000, PROGRAM = 256, CLASSES = 32 };

enum op { CHARACTER, ANY, CLASS, SPLIT, JUMP, LINE_BEGIN, LINE_END, MATCH };

struct instruction {
    enum op op;
    int x, y; /* a character, a class, or where to go on: x is preferred to y */
};

struct regex {
    struct instruction program[PROGRAM];
    uint32_t classes[CLASSES][8]; /* one bit for each character */
    int length, class_count;
    const char *at; /* what is still to be compiled */
    int failed;
};

/* ---- the compiler ---- */

static int emit(struct regex *regex, enum op op, int x, int y)
{
    if (regex->length == PROGRAM) {
        regex->failed = 1;
        return 0;
    }
    regex->program[regex->length] = (struct instruction){ op, x, y };
    return regex->length++;
}

static void class_add(uint32_t set[8], int from, int to)
{
    for (int c = from; c <= to; c++)
        set[c / 32] |= 1u << c % 32;
}

/* \d, \w, \s; any other character behind a backslash is itself. */
static void class_escape(uint32_t set[8], char letter)
{
    switch (letter) {
    case 'w':
        class_add(set, 'a', 'z');
        class_add(set, 'A', 'Z');
        class_add(set, '_', '_');
        class_add(set, '0', '9');
        break;
    case 'd':
        class_add(set, '0', '9');
        break;
    case 's':
        class_add(set, '\t', '\r');
        class_add(set, ' ', ' ');
        break;
    default:
        class_add(set, (uint8_t)letter, (uint8_t)letter);
    }
}

/* Behind the bracket that opens. */
static void compile_class(struct regex *regex, uint32_t set[8])
{
    int negated = *regex->at == '^';
    regex->at += negated;
    while (*regex->at != ']' && *regex->at != 0) {
        if (*regex->at == '\\' && regex->at[1] != 0) {
            class_escape(set, regex->at[1]);
            regex->at += 2;
        } else if (regex->at[1] == '-' && regex->at[2] != ']' && regex->at[2] != 0) {
            class_add(set, (uint8_t)regex->at[0], (uint8_t)regex->at[2]);
            regex->at += 3;
        } else {
            class_add(set, (uint8_t)*regex->at, (uint8_t)*regex->at);
            regex->at++;
        }
    }
    for (int i = 0; negated && i < 8; i++)
        set[i] = ~set[i];
    regex->failed |= *regex->at != ']';
    regex->at += *regex->at == ']';
}

static void compile_alternatives(struct regex *regex);

static void compile_atom(struct regex *regex)
{
    char c = *regex->at++;
    switch (c) {
    case '(':
        compile_alternatives(regex);
        regex->failed |= *regex->at != ')';
        regex->at += *regex->at == ')';
        break;
    case '.':
        emit(regex, ANY, 0, 0);
        break;
    case '^':
        emit(regex, LINE_BEGIN, 0, 0);
        break;
    case '$':
        emit(regex, LINE_END, 0, 0);
        break;
    case '[':
    case '\\':
        if (regex->class_count == CLASSES || *regex->at == 0) {
            regex->failed = 1;
            break;
        }
        emit(regex, CLASS, regex->class_count, 0);
        if (c == '[')
            compile_class(regex, regex->classes[regex->class_count++]);
        else
            class_escape(regex->classes[regex->class_count++], *regex->at++);
        break;
    default:
        emit(regex, CHARACTER, (uint8_t)c, 0);
    }
}

static int compile_count(struct regex *regex)
{
    int number = 0;
    while (*regex->at >= '0' && *regex->at <= '9' && number < 100)
        number = number * 10 + (*regex->at++ - '0');
    return number;
}

/* An atom and how often: ?, *, +, {n} or {n,m}. For each time that it may occur, it is compiled once more. */
static void compile_repeated(struct regex *regex)
{
    const char *atom = regex->at;
    int least = 1, most = 1, start = regex->length, class_count = regex->class_count;
    compile_atom(regex);
    switch (*regex->at) {
    case '*':
    case '?':
        least = 0;
        most = *regex->at++ == '*' ? -1 : 1;
        break;
    case '+':
        most = -1;
        regex->at++;
        break;
    case '{':
        regex->at++;
        least = most = compile_count(regex);
        if (*regex->at == ',') {
            regex->at++;
            most = compile_count(regex);
        }
        regex->failed |= *regex->at != '}' || most < least;
        regex->at += *regex->at == '}';
        break;
    }
    const char *behind = regex->at;
    regex->length = start; /* again, now that the numbers are known */
    memset(regex->classes[class_count], 0, (size_t)(regex->class_count - class_count) * sizeof regex->classes[0]);
    regex->class_count = class_count;
    for (int i = 0; i < least && !regex->failed; i++) {
        regex->at = atom;
        start = regex->length;
        compile_atom(regex);
    }
    if (most < 0 && least > 0) {
        emit(regex, SPLIT, start, regex->length + 1);
    } else if (most < 0) {
        int split = emit(regex, SPLIT, regex->length + 1, 0);
        regex->at = atom;
        compile_atom(regex);
        emit(regex, JUMP, split, 0);
        regex->program[split].y = regex->length;
    }
    /* Each of the others may be the last one. */
    int splits[100], split_count = 0;
    for (int i = least; i < most && !regex->failed; i++) {
        splits[split_count++] = emit(regex, SPLIT, regex->length + 1, 0);
        regex->at = atom;
        compile_atom(regex);
    }
    while (split_count > 0)
        regex->program[splits[--split_count]].y = regex->length;
    regex->at = behind;
}

static void compile_alternatives(struct regex *regex)
{
    int start = regex->length;
    while (*regex->at != 0 && *regex->at != '|' && *regex->at != ')')
        compile_repeated(regex);
    if (*regex->at != '|' || regex->failed)
        return;
    regex->at++;
    /* Makes room for the split before what was compiled, whose places of its own move by one. */
    emit(regex, JUMP, 0, 0);
    for (int i = regex->length - 1; i > start; i--) {
        struct instruction moved = regex->program[i - 1];
        if (moved.op == SPLIT || moved.op == JUMP) {
            moved.x++;
            moved.y++;
        }
        regex->program[i] = moved;
    }
    int jump = emit(regex, JUMP, 0, 0);
    regex->program[start] = (struct instruction){ SPLIT, start + 1, regex->length };
    compile_alternatives(regex);
    regex->program[jump].x = regex->length;
}

static int compile(struct regex *regex, const char *source)
{
    memset(regex, 0, sizeof *regex);
    regex->at = source;
    compile_alternatives(regex);
    emit(regex, MATCH, 0, 0);
    return !regex->failed && *regex->at == 0;
}

/* ---- the machine ---- */

/* The threads that wait at an instruction, in the order of preference; of those at the same one the first is kept. */
struct threads {
    int count;
    struct {
        int pc;
        const char *begin; /* of the match, if it becomes one */
    } list[PROGRAM];
    uint32_t seen[PROGRAM]; /* the step in which a thread came here last */
};

static struct threads threads[2];
static uint32_t step;

/* Follows jumps and splits to the instructions that look at a character. */
static void add_thread(struct threads *to, const struct regex *regex, int pc, const char *begin, const char *at,
    const char *text, const char *end)
{
    if (to->seen[pc] == step)
        return;
    to->seen[pc] = step;
    const struct instruction *instruction = &regex->program[pc];
    switch (instruction->op) {
    case JUMP:
        add_thread(to, regex, instruction->x, begin, at, text, end);
        break;
    case SPLIT:
        add_thread(to, regex, instruction->x, begin, at, text, end);
        add_thread(to, regex, instruction->y, begin, at, text, end);
        break;
    case LINE_BEGIN:
        if (at == text || at[-1] == '\n')
            add_thread(to, regex, pc + 1, begin, at, text, end);
        break;
    case LINE_END:
        if (at == end || *at == '\n')
            add_thread(to, regex, pc + 1, begin, at, text, end);
        break;
    default:
        to->list[to->count].pc = pc;
        to->list[to->count++].begin = begin;
    }
}

static int accepts(const struct regex *regex, const struct instruction *instruction, uint8_t c)
{
    switch (instruction->op) {
    case CHARACTER:
        return instruction->x == c;
    case ANY:
        return c != '\n';
    case CLASS:
        return regex->classes[instruction->x][c / 32] >> c % 32 & 1;
    default:
        return 0;
    }
}

/* The first match from a place on, of those that begin there the preferred one; NULL if there is none. */
static const char *search(const struct regex *regex, const char *text, const char *at, const char *end,
    const char **behind)
{
    struct threads *now = &threads[0], *then = &threads[1];
    const char *found = NULL;
    now->count = 0;
    step++;
    for (;; at++) {
        /* Matches that begin later are worse than any there is. */
        if (found == NULL)
            add_thread(now, regex, 0, at, at, text, end);
        if (now->count == 0 && found != NULL)
            return found;
        step++;
        then->count = 0;
        for (int i = 0; i < now->count; i++) {
            int pc = now->list[i].pc;
            if (regex->program[pc].op == MATCH) {
                found = now->list[i].begin;
                *behind = at;
                break; /* the rest is worse */
            }
            if (at < end && accepts(regex, &regex->program[pc], (uint8_t)*at))
                add_thread(then, regex, pc + 1, now->list[i].begin, at + 1, text, end);
        }
        if (at == end)
            return found;
        struct threads *swap = now;
        now = then;
        then = swap;
    }
}

/* ---- the log ---- */

enum kind { ADDRESS, MAIL, TIMEOUT, QUOTED, NUMBER, LINE, KINDS };

static const char *const expressions[KINDS] = {
    "\\d{1,3}(\\.\\d{1,3}){3}",
    "[a-z][a-z0-9._]*@([a-z]+\\.)+(org|com|net)",
    "(ERROR|WARN) .*timeout$",
    "\"(\\\\.|[^\"\\\\])*\"",
    "0x[0-9a-f]+|nothing (like|of) this",
    "^\\d{4}(-\\d\\d){2} (\\d\\d:?)+",
};

static char text[TEXT + 200];
static size_t length;
static struct kernel_random chance = { 37 };

static void put(const char *more)
{
    while (*more != 0)
        text[length++] = *more++;
}

static void put_number(uint32_t number, uint32_t base, int digits)
{
    uint32_t high = number / base;
    if (high > 0 || digits > 1)
        put_number(high, base, digits - 1);
    text[length++] = "0123456789abcdef"[number % base];
}

static const char *pick(const char *const *words, uint32_t count)
{
    return words[kernel_below(&chance, count)];
}

/* Lines of at most 200 characters. */
static void write_line(uint32_t counts[KINDS])
{
    static const char *const levels[] = { "DEBUG", "INFO", "INFO", "WARN", "ERROR" };
    static const char *const names[] = { "anna", "bert.k", "carla_7", "dmitri", "eve" };
    static const char *const hosts[] = { "example.org", "mail.example.com", "a.b.example.net" };
    static const char *const ends[] = { " done", " timeout", " timeout after retry", "" };
    put("2026-");
    put_number(1 + kernel_below(&chance, 12), 10, 2);
    put("-");
    put_number(1 + kernel_below(&chance, 28), 10, 2);
    put(" ");
    put_number(kernel_below(&chance, 24), 10, 2);
    put(":");
    put_number(kernel_below(&chance, 60), 10, 2);
    put(" ");
    const char *level = pick(levels, 5), *ending;
    put(level);
    if (kernel_below(&chance, 2) == 0) {
        put(" from ");
        for (int i = 0; i < 4; i++) {
            put(i > 0 ? "." : "");
            put_number(kernel_below(&chance, 256), 10, 1);
        }
        counts[ADDRESS]++;
    }
    if (kernel_below(&chance, 3) == 0) {
        put(" user ");
        put(pick(names, 5));
        put("@");
        put(pick(hosts, 3));
        counts[MAIL]++;
    }
    if (kernel_below(&chance, 3) == 0) {
        put(kernel_below(&chance, 2) == 0 ? " \"GET /index.html\"" : " \"said \\\"no\\\" twice\"");
        counts[QUOTED]++;
    }
    if (kernel_below(&chance, 2) == 0) {
        put(" session 0x");
        put_number(kernel_next(&chance), 16, 1);
        counts[NUMBER]++;
    }
    ending = pick(ends, 4);
    put(ending);
    put("\n");
    counts[TIMEOUT] += (level[0] == 'W' || level[0] == 'E') && strcmp(ending, " timeout") == 0;
    counts[LINE]++;
}

int main(int argc, char **argv)
{
    static struct regex regex;
    int repetitions = kernel_repetitions(argc, argv, 130);
    uint32_t counts[KINDS] = { 0 };
    uint64_t sum = 0;
    while (length < TEXT)
        write_line(counts);
    const char *end = text + length;
    for (int round = 0; round < repetitions; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            uint32_t matches = 0;
            if (!compile(&regex, expressions[kind]))
                return kernel_report("regex: wrong", (uint64_t)kind);
            for (const char *at = text, *behind = text; (at = search(&regex, text, at, end, &behind)) != NULL;) {
                sum = kernel_mix(sum, (uint64_t)(at - text) << 32 | (uint64_t)(behind - text));
                at = behind;
                matches++;
            }
            if (round == 0)
                printf("%u%s", (unsigned)matches, kind < KINDS - 1 ? " " : "\n");
            if (matches != counts[kind])
                return kernel_report("regex: wrong", matches);
        }
    }
    return kernel_report("regex", sum);
}
