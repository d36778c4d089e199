/* What embedded programs do, in one loop: search, reverse and merge-sort a linked list, multiply small integer
 * matrices, run a state machine over text that may hold numbers, and check every result with a 16-bit CRC. The mixture
 * is that of the well-known embedded benchmarks; the program is our own and its figures compare with nobody's. */
#include "kernel.h"

enum { ITEMS = 250, N = 12, TEXT = 400 };

struct item {
    struct item *next;
    int16_t key, index;
};

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static struct item items[ITEMS];
static char text[TEXT];

static uint16_t crc16(uint16_t crc, uint32_t value)
{
    for (int i = 0; i < 32; i++) {
        uint16_t bit = (uint16_t)((crc ^ (value >> i)) & 1);
        crc = (uint16_t)((crc >> 1) ^ (bit ? 0xa001 : 0));
    }
    return crc;
}

static struct item *find(struct item *list, int key)
{
    while (list != NULL && list->key != key)
        list = list->next;
    return list;
}

static struct item *reverse(struct item *list)
{
    struct item *done = NULL;
    while (list != NULL) {
        struct item *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static int by_key(const struct item *a, const struct item *b)
{
    return a->key - b->key;
}

static int by_index(const struct item *a, const struct item *b)
{
    return a->index - b->index;
}

static struct item *sort(struct item *list, int (*order)(const struct item *, const struct item *))
{
    if (list == NULL || list->next == NULL)
        return list;
    struct item *slow = list, *fast = list->next;
    while (fast != NULL && fast->next != NULL) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct item *right = slow->next;
    slow->next = NULL;
    struct item *left = sort(list, order), *merged = NULL, **end = &merged;
    right = sort(right, order);
    while (left != NULL && right != NULL) {
        struct item **smaller = order(left, right) <= 0 ? &left : &right;
        *end = *smaller;
        end = &(*end)->next;
        *smaller = *end;
    }
    *end = left != NULL ? left : right;
    return merged;
}

static uint16_t lists(uint16_t crc, int seed)
{
    struct item *list = NULL;
    for (int i = 0; i < ITEMS; i++) {
        items[i] = (struct item){ list, (int16_t)((i * 7919 + seed) & 0x7ff), (int16_t)i };
        list = &items[i];
    }
    int found = 0;
    for (int key = 0; key < 40; key++) {
        struct item *hit = find(list, (key * 31 + seed) & 0x7ff);
        if (hit != NULL)
            found += hit->index + 1;
        if ((key & 7) == 0)
            list = reverse(list);
    }
    list = sort(list, by_key);
    crc = crc16(crc, (uint32_t)(list->key + found));
    list = sort(list, by_index);
    for (struct item *i = list; i != NULL; i = i->next)
        if ((i->index & 15) == 0)
            crc = crc16(crc, (uint32_t)i->key);
    return crc;
}

static uint16_t matrices(uint16_t crc, int seed)
{
    int16_t a[N][N], b[N][N];
    int32_t c[N][N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (int16_t)((i * 3 + j * seed) & 0xff);
            b[i][j] = (int16_t)((i * seed - j * 5) & 0xff);
        }
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            /* Bit fields, too. */
            c[i][j] = sum + ((sum >> 2) & 15) * ((sum >> 5) & 127);
        }
    }
    for (int i = 0; i < N; i++)
        crc = crc16(crc, (uint32_t)c[i][N - 1 - i]);
    return crc;
}

static enum state advance(enum state state, char c)
{
    int digit = c >= '0' && c <= '9';
    switch (state) {
    case START:
        return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN:
        return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER:
        return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case POINT:
        return digit ? FRACTION : INVALID;
    case FRACTION:
        return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT:
        return digit ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC:
        return digit ? SCIENTIFIC : INVALID;
    default:
        return INVALID;
    }
}

static uint16_t states(uint16_t crc, int seed)
{
    uint32_t ends[STATES] = { 0 }, steps[STATES] = { 0 };
    /* Damage a character now and then, and repair it afterwards, so that the text differs from round to round. */
    int at = seed % TEXT;
    char kept = text[at];
    if (kept != ',')
        text[at] = '#';
    enum state state = START;
    for (int i = 0; i < TEXT; i++) {
        if (text[i] == ',') {
            ends[state]++;
            state = START;
        } else {
            state = advance(state, text[i]);
            steps[state]++;
        }
    }
    text[at] = kept;
    for (int i = 0; i < STATES; i++)
        crc = crc16(crc, ends[i] * 65536 + steps[i]);
    return crc;
}

int main(int argc, char **argv)
{
    static const char *words[] = { "5012", "-7", "+3.14159", ".5e10", "17e-3",
                                   "-0.0001", "e12", "1e+", "--4", "99.9.9" };
    int rounds = 500 * kernel_repetitions(argc, argv, 6);
    struct kernel_random random = { 10 };
    for (int n = 0; n < TEXT;) {
        for (const char *c = words[kernel_below(&random, 10)]; *c != 0 && n < TEXT; c++)
            text[n++] = *c;
        if (n < TEXT)
            text[n++] = ',';
    }
    uint16_t crc = 0;
    for (int i = 0; i < rounds; i++) {
        crc = lists(crc, i);
        crc = matrices(crc, i);
        crc = states(crc, i);
    }
    return kernel_report("mixed", crc);
}
