/* A virtual machine in the virtual machine: a stack machine with a dozen instructions runs a prime sieve and a loop of
 * arithmetic with calls, assembled by this program. */
#include "kernel.h"

enum op { PUSH, LOAD, STORE, FETCH, PUT, ADD, SUB, MUL, MOD, LESS, JUMP, JUMP_ZERO, CALL, RETURN, HALT };

enum { SIEVE = 8000 };

static int32_t code[128], data[SIEVE], variables[8];
static int length;

static int emit(enum op op)
{
    code[length++] = op;
    return length;
}

/* Returns where the operand stands, for jumps whose target is not known yet. */
static int emit1(enum op op, int operand)
{
    code[length++] = op;
    code[length++] = operand;
    return length - 1;
}

static int32_t run(int pc)
{
    int32_t stack[64], calls[16];
    int sp = 0, depth = 0;
    for (;;) {
        switch ((enum op)code[pc++]) {
        case PUSH:
            stack[sp++] = code[pc++];
            break;
        case LOAD:
            stack[sp++] = variables[code[pc++]];
            break;
        case STORE:
            variables[code[pc++]] = stack[--sp];
            break;
        case FETCH:
            stack[sp - 1] = data[stack[sp - 1]];
            break;
        case PUT: /* ... value index -- */
            sp -= 2;
            data[stack[sp + 1]] = stack[sp];
            break;
        case ADD:
            sp--;
            stack[sp - 1] = (int32_t)((uint32_t)stack[sp - 1] + (uint32_t)stack[sp]);
            break;
        case SUB:
            sp--;
            stack[sp - 1] = (int32_t)((uint32_t)stack[sp - 1] - (uint32_t)stack[sp]);
            break;
        case MUL:
            sp--;
            stack[sp - 1] = (int32_t)((uint32_t)stack[sp - 1] * (uint32_t)stack[sp]);
            break;
        case MOD:
            sp--;
            stack[sp - 1] = (int32_t)((uint32_t)stack[sp - 1] % (uint32_t)stack[sp]);
            break;
        case LESS:
            sp--;
            stack[sp - 1] = stack[sp - 1] < stack[sp];
            break;
        case JUMP:
            pc = code[pc];
            break;
        case JUMP_ZERO:
            pc = stack[--sp] == 0 ? code[pc] : pc + 1;
            break;
        case CALL:
            calls[depth++] = pc + 1;
            pc = code[pc];
            break;
        case RETURN:
            pc = calls[--depth];
            break;
        case HALT:
            return stack[sp - 1];
        }
    }
}

/* Variables of the program below. */
enum { I, J, COUNT, SUM };

/* while (variable < limit) { ... }: begin_loop returns the start, *exit is the operand to fill in at the end. */
static int begin_loop(int variable, int limit, int *exit)
{
    int start = length;
    emit1(LOAD, variable);
    emit1(PUSH, limit);
    emit(LESS);
    *exit = emit1(JUMP_ZERO, 0);
    return start;
}

static void end_loop(int start, int exit)
{
    emit1(JUMP, start);
    code[exit] = length;
}

static void add_to(int variable, int amount_op, int amount)
{
    emit1(LOAD, variable);
    emit1((enum op)amount_op, amount);
    emit(ADD);
    emit1(STORE, variable);
}

static int assemble(void)
{
    int outer, inner, skip;
    /* A function: sum = (sum * 31 + i) % 1000003. */
    int function = length;
    emit1(LOAD, SUM);
    emit1(PUSH, 31);
    emit(MUL);
    emit1(LOAD, I);
    emit(ADD);
    emit1(PUSH, 1000003);
    emit(MOD);
    emit1(STORE, SUM);
    emit(RETURN);

    int start = length;
    emit1(PUSH, 2);
    emit1(STORE, I);
    int outer_start = begin_loop(I, SIEVE, &outer);
    emit1(LOAD, I);
    emit(FETCH);
    skip = emit1(JUMP_ZERO, 0);
    add_to(COUNT, PUSH, 1);
    emit1(CALL, function);
    emit1(LOAD, I);
    emit1(LOAD, I);
    emit(ADD);
    emit1(STORE, J);
    int inner_start = begin_loop(J, SIEVE, &inner);
    emit1(PUSH, 0);
    emit1(LOAD, J);
    emit(PUT);
    add_to(J, LOAD, I);
    end_loop(inner_start, inner);
    code[skip] = length;
    add_to(I, PUSH, 1);
    end_loop(outer_start, outer);
    emit1(LOAD, COUNT);
    emit1(LOAD, SUM);
    emit(ADD);
    emit(HALT);
    return start;
}

int main(int argc, char **argv)
{
    int repetitions = 10 * kernel_repetitions(argc, argv, 16);
    int start = assemble();
    uint64_t sum = 0;
    while (repetitions-- > 0) {
        for (int i = 0; i < SIEVE; i++)
            data[i] = 1;
        sum = kernel_mix(sum, (uint64_t)run(start));
    }
    return kernel_report("bytecode", sum);
}
