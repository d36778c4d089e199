/* Counts words in a text in three ways: naive comparison, Horspool's skip table, and an automaton of all words at once
 * (Aho and Corasick). They must agree. */
#include "kernel.h"

enum { TEXT = 400000, WORDS = 8, NODES = 80, LETTERS = 26 };

static const char *words[WORDS] = { "keep", "secure", "worldly", "trust", "enclave", "memory", "rust", "emo" };
static char text[TEXT + 1];

static int count_naive(const char *word)
{
    int length = (int)strlen(word), hits = 0;
    for (int i = 0; i + length <= TEXT; i++) {
        int k = 0;
        while (k < length && text[i + k] == word[k])
            k++;
        hits += k == length;
    }
    return hits;
}

static int count_horspool(const char *word)
{
    int length = (int)strlen(word), hits = 0, skip[256];
    for (int i = 0; i < 256; i++)
        skip[i] = length;
    for (int i = 0; i < length - 1; i++)
        skip[(uint8_t)word[i]] = length - 1 - i;
    for (int i = 0; i + length <= TEXT; i += skip[(uint8_t)text[i + length - 1]])
        hits += memcmp(&text[i], word, (size_t)length) == 0;
    return hits;
}

static int count_all(void)
{
    static int16_t next[NODES][LETTERS], fail[NODES], ends[NODES];
    int nodes = 1, hits = 0, queue[NODES], head = 0, tail = 0;
    memset(next, 0, sizeof next);
    memset(fail, 0, sizeof fail);
    memset(ends, 0, sizeof ends);
    for (int w = 0; w < WORDS; w++) {
        int node = 0;
        for (const char *c = words[w]; *c != 0; c++) {
            if (next[node][*c - 'a'] == 0)
                next[node][*c - 'a'] = (int16_t)nodes++;
            node = next[node][*c - 'a'];
        }
        ends[node]++;
    }
    for (int c = 0; c < LETTERS; c++)
        if (next[0][c] != 0)
            queue[tail++] = next[0][c];
    while (head < tail) {
        int node = queue[head++];
        for (int c = 0; c < LETTERS; c++) {
            int child = next[node][c];
            if (child != 0) {
                fail[child] = next[fail[node]][c];
                ends[child] = (int16_t)(ends[child] + ends[fail[child]]);
                queue[tail++] = child;
            } else {
                next[node][c] = next[fail[node]][c];
            }
        }
    }
    for (int i = 0, node = 0; i < TEXT; i++) {
        node = text[i] == ' ' ? 0 : next[node][text[i] - 'a'];
        hits += ends[node];
    }
    return hits;
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 10);
    struct kernel_random random = { 15 };
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        for (int n = 0; n < TEXT;) {
            if (kernel_below(&random, 8) == 0) {
                for (const char *c = words[kernel_below(&random, WORDS)]; *c != 0 && n < TEXT; c++)
                    text[n++] = *c;
            } else {
                for (uint32_t k = 2 + kernel_below(&random, 8); k > 0 && n < TEXT; k--)
                    text[n++] = "etaoinshrdlumk"[kernel_below(&random, 14)];
            }
            if (n < TEXT)
                text[n++] = ' ';
        }
        int naive = 0, horspool = 0;
        for (int w = 0; w < WORDS; w++) {
            naive += count_naive(words[w]);
            horspool += count_horspool(words[w]);
        }
        int all = count_all();
        if (naive != horspool || naive != all)
            return kernel_report("strsearch: wrong", (uint64_t)all);
        sum = kernel_mix(sum, (uint64_t)all);
    }
    return kernel_report("strsearch", sum);
}
