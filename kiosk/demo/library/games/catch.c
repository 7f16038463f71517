// Catch the signal: packets fall, a basket follows the finger. Stars count three, noise takes two away. Forty-five seconds.
#include "foyer.h"

enum { MANY = 10, PACKET = 0, STAR = 1, NOISE = 2, WHOLE = 45 * 60 };

static struct {
	int live, kind, x, y, speed, drift;
} fall[MANY];

static struct {
	int live, x, y, age, gain;
} pop[4];

static int basket = 70, score, left = WHOLE, wait, over, shake, streak;

void start(void) {
	PALETTE[0] = 0x0a2c33;
	PALETTE[1] = 0x1d6f6a;
	PALETTE[2] = 0xf4b740;
	PALETTE[3] = 0xfff3d6;
	trace("foyer score 0");
}

static void cheer(int x, int y, int gain) {
	for (int i = 0; i < 4; i++)
		if (!pop[i].live) {
			pop[i].live = 1;
			pop[i].x = x;
			pop[i].y = y;
			pop[i].age = 0;
			pop[i].gain = gain;
			return;
		}
}

static void spawn(void) {
	for (int i = 0; i < MANY; i++)
		if (!fall[i].live) {
			u32 what = chance(10);
			fall[i].live = 1;
			fall[i].kind = what < 6 ? PACKET : what < 8 ? STAR : NOISE;
			fall[i].x = (8 + chance(138)) * 16;
			fall[i].y = -10 * 16;
			fall[i].speed = 12 + chance(8) + (WHOLE - left) / 220;
			fall[i].drift = (int)chance(9) - 4;
			return;
		}
}

static void caught(int i) {
	int gain = fall[i].kind == PACKET ? 1 : fall[i].kind == STAR ? 3 : -2;
	streak = gain > 0 ? streak + 1 : 0;
	if (streak && streak % 10 == 0) gain += 5;
	if (gain < 0) shake = 14;
	score = score + gain < 0 ? 0 : score + gain;
	cheer(fall[i].x / 16, 132, gain);
	fall[i].live = 0;
	trace(said("foyer score ", score));
}

static void mast(void) {
	COLOURS = 0x22;
	rect(0, 152, 160, 8);
	COLOURS = 0x2;
	line(80, 152, 72, 118 + 34);
	for (int i = 0; i < 3; i++) {
		COLOURS = 0x20;
		int r = 30 + i * 40 + (left / 4) % 40;
		oval(80 - r, 152 - r, r * 2, r * 2);
	}
}

static void thing(int kind, int x, int y) {
	if (kind == PACKET) {
		COLOURS = 0x43;
		rect(x - 6, y - 4, 13, 9);
		COLOURS = 0x1;
		line(x - 5, y - 3, x, y + 1);
		line(x, y + 1, x + 5, y - 3);
	} else if (kind == STAR) {
		COLOURS = 0x4;
		for (int i = 0; i < 6; i++) {
			rect(x - i, y - 6 + i, i * 2 + 1, 1);
			rect(x - i, y + 6 - i, i * 2 + 1, 1);
		}
		COLOURS = 0x3;
		rect(x - 2, y - 2, 5, 5);
	} else {
		COLOURS = 0x2;
		for (int i = 0; i < 4; i++) line(x - 6 + i * 3, y + ((i + left / 3) & 1 ? 5 : -5), x - 3 + i * 3, y + ((i + left / 3) & 1 ? -5 : 5));
	}
}

static void hand(void) {
	if (MOUSE & 1) {
		int to = MOUSE_X;
		basket += (to - basket) / 2;
	}
	if (GAMEPAD & LEFT) basket -= 3;
	if (GAMEPAD & RIGHT) basket += 3;
	if (basket < 14) basket = 14;
	if (basket > 146) basket = 146;
}

static void drawBasket(void) {
	int x = basket + (shake ? (shake & 2) - 1 : 0);
	COLOURS = 0x44;
	rect(x - 13, 138, 27, 3);
	COLOURS = 0x33;
	for (int i = 0; i < 9; i++) rect(x - 11 + i / 3, 141 + i, 23 - i / 3 * 2, 1);
	if (shake) shake--;
}

static void falling(void) {
	for (int i = 0; i < MANY; i++) {
		if (!fall[i].live) continue;
		fall[i].y += fall[i].speed;
		fall[i].x += fall[i].drift;
		int x = fall[i].x / 16, y = fall[i].y / 16;
		if (x < 6 || x > 153) fall[i].drift = -fall[i].drift;
		if (y > 132 && y < 146 && x > basket - 17 && x < basket + 17)
			caught(i);
		else if (y > 166)
			fall[i].live = 0;
		else
			thing(fall[i].kind, x, y);
	}
}

void update(void) {
	chance(2 + MOUSE_X);
	mast();
	if (left > 0) {
		left--;
		if (--wait < 0) {
			spawn();
			wait = 14 + chance(20) - (WHOLE - left) / 300;
		}
		hand();
	}
	falling();
	drawBasket();
	for (int i = 0; i < 4; i++)
		if (pop[i].live) {
			COLOURS = pop[i].gain > 0 ? 0x4 : 0x3;
			text(said(pop[i].gain > 0 ? "+" : "-", pop[i].gain > 0 ? pop[i].gain : -pop[i].gain), pop[i].x - 8, pop[i].y - pop[i].age / 2);
			if (++pop[i].age > 30) pop[i].live = 0;
		}
	COLOURS = 0x33;
	rect(4, 4, 152 * left / WHOLE, 3);
	COLOURS = 0x4;
	text(said("", score), 5, 11);
	text(said("", (left + 59) / 60), 139, 11);
	if (left == 0 && !over) {
		over = 1;
		trace(said("foyer over ", score));
	}
}
