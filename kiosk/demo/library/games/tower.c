// Raise the mast: a block slides, a touch drops it. What hangs over falls off; a block laid exactly gives more and grows
// back a little. The game is over when a block misses, or at sixty floors.
#include "foyer.h"

enum { MOST = 60, HIGH = 9, FULL = 64 };

static int floors = 1, left[MOST + 2], width[MOST + 2];
static int at, way = 1, speed = 20, held, over, score, streak, view, glow;
static struct {
	int live, x, y, w, fall;
} scrap;

void start(void) {
	PALETTE[0] = 0xfff3d6;
	PALETTE[1] = 0xf4b740;
	PALETTE[2] = 0x0f766e;
	PALETTE[3] = 0x16202a;
	left[0] = (SIDE - FULL) / 2 * 16;
	width[0] = FULL * 16;
	trace("foyer score 0");
}

static void end(void) {
	over = 1;
	trace(said("foyer over ", score));
}

static void drop(void) {
	int below = floors - 1, w = width[below], x = at;
	int off = x - left[below];
	if (off < 0) off = -off;
	if (off >= w) {
		scrap.live = 1, scrap.x = x, scrap.y = floors, scrap.w = w, scrap.fall = 0;
		end();
		return;
	}
	if (off < 36) { // near enough: exact
		x = left[below];
		streak++;
		score += 2 + streak;
		glow = 16;
		if (streak > 2 && w < FULL * 16) w += 48;
	} else {
		streak = 0;
		score += 1;
		int from = x > left[below] ? x : left[below];
		scrap.live = 1, scrap.y = floors, scrap.fall = 0, scrap.w = off;
		scrap.x = x > left[below] ? left[below] + w : x;
		w -= off;
		x = from;
	}
	left[floors] = x;
	width[floors] = w;
	floors++;
	speed = 20 + floors * 2 / 3;
	at = way > 0 ? -w : SIDE * 16;
	trace(said("foyer score ", score));
	if (floors > MOST) end();
}

static int yOf(int n) { return 140 - n * HIGH + view / 16; }

static void block(int x, int n, int w, int lit) {
	int y = yOf(n);
	if (y > 160 || y < -HIGH) return;
	COLOURS = lit ? 0x42 : (n & 1) ? 0x43 : 0x44;
	rect(x / 16, y, w / 16, HIGH);
	COLOURS = 0x1;
	for (int i = 3; i + 3 < w / 16; i += 6) rect(x / 16 + i, y + 3, 2, 3);
}

static void sky(void) {
	COLOURS = 0x22;
	oval(112, 14 + view / 64, 28, 28);
	COLOURS = 0x2;
	for (int i = 0; i < 5; i++) rect((i * 47 + 11) % 150, (i * 31 + view / 48) % 160, 16, 2);
}

void update(void) {
	int down = (MOUSE & 1) || (GAMEPAD & (BUTTON_X | BUTTON_Z));
	if (!over) {
		at += way * speed;
		if (at > SIDE * 16 - width[floors - 1] / 2) way = -1;
		if (at < -width[floors - 1] / 2) way = 1;
		if (down && !held) drop();
	}
	held = down;
	int want = floors > 7 ? (floors - 7) * HIGH * 16 : 0;
	view += (want - view + 7) / 8;
	sky();
	COLOURS = 0x44;
	rect(0, 149 + view / 16, 160, 40);
	for (int i = 0; i < floors; i++) block(left[i], i, width[i], glow && i == floors - 1);
	if (!over) block(at, floors, width[floors - 1], 0);
	if (glow) glow--;
	if (scrap.live) {
		scrap.fall += 1;
		COLOURS = 0x43;
		int y = yOf(scrap.y) + scrap.fall * scrap.fall / 6;
		rect(scrap.x / 16, y, scrap.w / 16, HIGH);
		if (y > 170) scrap.live = 0;
	}
	COLOURS = 0x4;
	text(said("", score), 6, 6);
	if (streak > 1) text(said("X", streak), 6, 16);
}
