/* SPDX-License-Identifier: Apache-2.0
 *
 * Chess: counts the ways to play a number of moves from positions for which the counts are known ("perft"). The board
 * has 16 columns of which 8 are real, so that a bit of a square's number says that it is outside. */
#include "kernel.h"

enum piece { EMPTY, PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING, BLACK = 8 };

enum { NONE = 128, MOVES = 256 }; /* no square; no position has more than 218 moves */

/* Castling rights, one bit each. */
enum { WHITE_SHORT = 1, WHITE_LONG = 2, BLACK_SHORT = 4, BLACK_LONG = 8 };

struct position {
    uint8_t squares[128]; /* 16 * row + column, row 0 being white's first */
    uint8_t kings[2];
    uint8_t side; /* to move: 0 or BLACK */
    uint8_t castling, passant; /* where a pawn has just stepped over, or NONE */
};

struct move {
    uint8_t from, to, promoted; /* promoted: the new piece with its colour, or EMPTY */
};

/* What a move does not say of how it was before. */
struct undo {
    uint8_t captured, captured_at, castling, passant;
};

static struct position board;

static const int8_t knight_steps[8] = { 33, 31, 18, 14, -33, -31, -18, -14 };
static const int8_t king_steps[8] = { 1, -1, 16, -16, 17, 15, -17, -15 }; /* first straight, then diagonal */

/* The rights that end when something moves from or to a square. */
static uint8_t rights_of(int square)
{
    switch (square) {
    case 0x00:
        return WHITE_LONG;
    case 0x04:
        return WHITE_SHORT | WHITE_LONG;
    case 0x07:
        return WHITE_SHORT;
    case 0x70:
        return BLACK_LONG;
    case 0x74:
        return BLACK_SHORT | BLACK_LONG;
    case 0x77:
        return BLACK_SHORT;
    default:
        return 0;
    }
}

/* Does a piece of the side stand so that it could take on the square? */
static int attacked(int square, int by)
{
    int behind = by == 0 ? -16 : 16; /* where pawns that attack come from */
    for (int side = -1; side <= 1; side += 2) {
        int from = square + behind + side;
        if ((from & 0x88) == 0 && board.squares[from] == (PAWN | by))
            return 1;
    }
    for (int i = 0; i < 8; i++) {
        int from = square + knight_steps[i];
        if ((from & 0x88) == 0 && board.squares[from] == (KNIGHT | by))
            return 1;
    }
    for (int i = 0; i < 8; i++) {
        int from = square + king_steps[i], slider = (i < 4 ? ROOK : BISHOP) | by;
        if ((from & 0x88) == 0 && board.squares[from] == (KING | by))
            return 1;
        while ((from & 0x88) == 0 && board.squares[from] == EMPTY)
            from += king_steps[i];
        if ((from & 0x88) == 0 && (board.squares[from] == slider || board.squares[from] == (QUEEN | by)))
            return 1;
    }
    return 0;
}

static int add_move(struct move *moves, int count, int from, int to)
{
    moves[count] = (struct move){ (uint8_t)from, (uint8_t)to, EMPTY };
    return count + 1;
}

static int add_pawn_move(struct move *moves, int count, int from, int to)
{
    if (to >> 4 != 0 && to >> 4 != 7)
        return add_move(moves, count, from, to);
    for (int piece = KNIGHT; piece <= QUEEN; piece++)
        moves[count++] = (struct move){ (uint8_t)from, (uint8_t)to, (uint8_t)(piece | board.side) };
    return count;
}

static int pawn_moves(struct move *moves, int count, int from)
{
    int forward = board.side == 0 ? 16 : -16, to = from + forward;
    if (board.squares[to] == EMPTY) {
        count = add_pawn_move(moves, count, from, to);
        int first_row = board.side == 0 ? 1 : 6;
        if (from >> 4 == first_row && board.squares[to + forward] == EMPTY)
            count = add_move(moves, count, from, to + forward);
    }
    for (int side = -1; side <= 1; side += 2) {
        int aside = to + side;
        if ((aside & 0x88) != 0)
            continue;
        if (aside == board.passant || (board.squares[aside] != EMPTY && (board.squares[aside] & BLACK) != board.side))
            count = add_pawn_move(moves, count, from, aside);
    }
    return count;
}

static int castling_moves(struct move *moves, int count)
{
    int king = board.side == 0 ? 0x04 : 0x74, other = board.side ^ BLACK;
    int rights = board.side == 0 ? board.castling : board.castling >> 2;
    const uint8_t *row = &board.squares[king];
    if ((rights & (WHITE_SHORT | WHITE_LONG)) == 0 || attacked(king, other))
        return count;
    if ((rights & WHITE_SHORT) != 0 && row[1] == EMPTY && row[2] == EMPTY && !attacked(king + 1, other))
        count = add_move(moves, count, king, king + 2);
    if ((rights & WHITE_LONG) != 0 && row[-1] == EMPTY && row[-2] == EMPTY && row[-3] == EMPTY &&
        !attacked(king - 1, other))
        count = add_move(moves, count, king, king - 2);
    return count;
}

static int step_moves(struct move *moves, int count, int from, const int8_t *steps, int directions, int far)
{
    for (int i = 0; i < directions; i++) {
        for (int to = from + steps[i]; (to & 0x88) == 0; to += steps[i]) {
            int there = board.squares[to];
            if (there == EMPTY || (there & BLACK) != board.side)
                count = add_move(moves, count, from, to);
            if (there != EMPTY || !far)
                break;
        }
    }
    return count;
}

/* Also those that leave the king attacked. */
static int all_moves(struct move *moves)
{
    int count = 0;
    for (int from = 0; from < 128; from++) {
        int piece = board.squares[from];
        if ((from & 0x88) != 0 || piece == EMPTY || (piece & BLACK) != board.side)
            continue;
        switch (piece & 7) {
        case PAWN:
            count = pawn_moves(moves, count, from);
            break;
        case KNIGHT:
            count = step_moves(moves, count, from, knight_steps, 8, 0);
            break;
        case BISHOP:
            count = step_moves(moves, count, from, king_steps + 4, 4, 1);
            break;
        case ROOK:
            count = step_moves(moves, count, from, king_steps, 4, 1);
            break;
        case QUEEN:
            count = step_moves(moves, count, from, king_steps, 8, 1);
            break;
        case KING:
            count = step_moves(moves, count, from, king_steps, 8, 0);
            break;
        }
    }
    return castling_moves(moves, count);
}

static int is_castling(struct move move)
{
    int distance = move.to - move.from;
    return (board.squares[move.to] & 7) == KING && (distance == 2 || distance == -2);
}

/* The rook's part in it: from the corner beside the king, or back. */
static void move_rook(struct move move, int back)
{
    int corner = move.to > move.from ? move.to + 1 : move.to - 2, beside = (move.from + move.to) / 2;
    int from = back ? beside : corner, to = back ? corner : beside;
    board.squares[to] = board.squares[from];
    board.squares[from] = EMPTY;
}

static struct undo make(struct move move)
{
    uint8_t piece = board.squares[move.from];
    struct undo undo = { board.squares[move.to], move.to, board.castling, board.passant };
    if ((piece & 7) == PAWN && move.to == board.passant) {
        undo.captured_at = (uint8_t)(move.to + (board.side == 0 ? -16 : 16));
        undo.captured = board.squares[undo.captured_at];
        board.squares[undo.captured_at] = EMPTY;
    }
    board.squares[move.to] = move.promoted != EMPTY ? move.promoted : piece;
    board.squares[move.from] = EMPTY;
    board.passant = NONE;
    if ((piece & 7) == PAWN && ((move.from ^ move.to) & 0x20) != 0 && ((move.from ^ move.to) & 0x1f) == 0)
        board.passant = (uint8_t)((move.from + move.to) / 2);
    if ((piece & 7) == KING)
        board.kings[board.side / BLACK] = move.to;
    if (is_castling(move))
        move_rook(move, 0);
    board.castling &= (uint8_t)~(rights_of(move.from) | rights_of(move.to));
    board.side ^= BLACK;
    return undo;
}

static void unmake(struct move move, struct undo undo)
{
    board.side ^= BLACK;
    if (is_castling(move))
        move_rook(move, 1);
    uint8_t piece = move.promoted != EMPTY ? PAWN | board.side : board.squares[move.to];
    board.squares[move.from] = piece;
    board.squares[move.to] = EMPTY;
    board.squares[undo.captured_at] = undo.captured;
    board.castling = undo.castling;
    board.passant = undo.passant;
    if ((piece & 7) == KING)
        board.kings[board.side / BLACK] = move.from;
}

static uint64_t perft(int depth)
{
    struct move moves[MOVES];
    uint64_t nodes = 0;
    int count = all_moves(moves);
    for (int i = 0; i < count; i++) {
        struct undo undo = make(moves[i]);
        int mover = board.side ^ BLACK;
        if (!attacked(board.kings[mover / BLACK], board.side))
            nodes += depth == 1 ? 1 : perft(depth - 1);
        unmake(moves[i], undo);
    }
    return nodes;
}

/* The first fields of Forsyth-Edwards notation: pieces, side, castling; no pawn has just stepped over a square. */
static void set_up(const char *fen)
{
    static const char letters[] = " pnbrqk";
    int square = 0x70;
    memset(&board, 0, sizeof board);
    for (; *fen != ' '; fen++) {
        const char *letter = strchr(letters, *fen | 0x20);
        if (*fen == '/') {
            square = (square & 0x70) - 16;
        } else if (letter == NULL) {
            square += *fen - '0';
        } else {
            int black = (*fen & 0x20) != 0, piece = (int)(letter - letters);
            if (piece == KING)
                board.kings[black] = (uint8_t)square;
            board.squares[square++] = (uint8_t)(piece | (black ? BLACK : 0));
        }
    }
    board.side = fen[1] == 'w' ? 0 : BLACK;
    for (fen += 3; *fen != 0; fen++)
        board.castling |= *fen == 'K' ? WHITE_SHORT : *fen == 'Q' ? WHITE_LONG : *fen == 'k' ? BLACK_SHORT : BLACK_LONG;
    board.passant = NONE;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *fen;
        int depth;
        uint64_t nodes;
    } known[] = {
        { "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq", 4, 197281 },
        { "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq", 3, 97862 },
        { "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w ", 4, 43238 },
        { "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq", 3, 9467 },
        { "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ", 3, 62379 },
    };
    int repetitions = kernel_repetitions(argc, argv, 18);
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            set_up(known[i].fen);
            uint64_t nodes = perft(known[i].depth);
            if (nodes != known[i].nodes)
                return kernel_report("chess: wrong", nodes);
            if (round == 0)
                printf("%llu\n", (unsigned long long)nodes);
            for (int square = 0; square < 128; square++)
                sum = kernel_mix(sum, board.squares[square]);
            sum = kernel_mix(sum, nodes);
        }
    }
    return kernel_report("chess", sum);
}
