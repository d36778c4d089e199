/* A hash table with open addressing and string keys: inserts, finds, and deletes with backward shift. */
#include "kernel.h"

enum { SLOTS = 1 << 15, KEYS = 24000, KEY = 12 };

struct slot {
    uint32_t hash; /* 0: empty */
    uint32_t count;
    const char *key;
};

static struct slot table[SLOTS];
static char keys[KEYS][KEY];

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key != 0; key++)
        hash = (hash ^ (uint8_t)*key) * 16777619u;
    hash ^= hash >> 15;
    return hash != 0 ? hash : 1;
}

/* The slot of the key, or the empty slot where it belongs. */
static uint32_t locate(const char *key, uint32_t hash)
{
    uint32_t at = hash % SLOTS;
    while (table[at].hash != 0 && (table[at].hash != hash || strcmp(table[at].key, key) != 0))
        at = (at + 1) % SLOTS;
    return at;
}

static uint32_t count_up(const char *key)
{
    uint32_t hash = hash_of(key);
    struct slot *slot = &table[locate(key, hash)];
    if (slot->hash == 0)
        *slot = (struct slot){ hash, 0, key };
    return ++slot->count;
}

static uint32_t delete(const char *key)
{
    uint32_t hole = locate(key, hash_of(key));
    if (table[hole].hash == 0)
        return 0;
    uint32_t count = table[hole].count;
    for (uint32_t at = (hole + 1) % SLOTS; table[at].hash != 0; at = (at + 1) % SLOTS) {
        /* Move an entry back into the hole if the hole lies on its way from home. */
        uint32_t home = table[at].hash % SLOTS;
        if ((at - home) % SLOTS >= (at - hole) % SLOTS) {
            table[hole] = table[at];
            hole = at;
        }
    }
    table[hole].hash = 0;
    return count;
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 70);
    struct kernel_random random = { 12 };
    for (int i = 0; i < KEYS; i++) {
        /* Distinct: the number in base 26, then some letters. */
        int n = 0;
        for (int rest = i; n == 0 || rest > 0; rest /= 26)
            keys[i][n++] = (char)('a' + rest % 26);
        keys[i][n++] = '-';
        for (uint32_t more = kernel_below(&random, 6); more > 0; more--)
            keys[i][n++] = (char)('a' + kernel_below(&random, 26));
        keys[i][n] = 0;
    }
    uint64_t sum = 0;
    while (repetitions-- > 0) {
        for (int i = 0; i < KEYS; i++)
            count_up(keys[kernel_below(&random, KEYS)]);
        for (int i = 0; i < KEYS / 2; i++)
            sum = kernel_mix(sum, delete(keys[kernel_below(&random, KEYS)]));
    }
    return kernel_report("hashtable", sum);
}
