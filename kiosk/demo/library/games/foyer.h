// What a cartridge sees of the machine; kiosk/demo/cart says what each means.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef short i16;

#define PALETTE ((u32 *)0x04)
#define COLOURS (*(u16 *)0x14)
#define GAMEPAD (*(u8 *)0x16)
#define MOUSE_X (*(i16 *)0x1A)
#define MOUSE_Y (*(i16 *)0x1C)
#define MOUSE (*(u8 *)0x1E)
#define SIDE 160

#define CALL(name) __attribute__((import_module("env"), import_name(#name)))
CALL(rect) void rect(int x, int y, u32 w, u32 h);
CALL(oval) void oval(int x, int y, u32 w, u32 h);
CALL(line) void line(int x1, int y1, int x2, int y2);
CALL(text) void text(const char *s, int x, int y);
CALL(trace) void trace(const char *s);

// Gamepad buttons.
enum { BUTTON_X = 1, BUTTON_Z = 2, LEFT = 16, RIGHT = 32, UP = 64, DOWN = 128 };

// digits writes n at the end of a text and returns the text.
static char room[40];
static const char *said(const char *word, u32 n) {
	int at = 0;
	while (word[at]) {
		room[at] = word[at];
		at++;
	}
	char back[12];
	int k = 0;
	do {
		back[k++] = '0' + n % 10;
		n /= 10;
	} while (n);
	while (k) room[at++] = back[--k];
	room[at] = 0;
	return room;
}

// chance is a number from 0 to below n; the seed grows with every frame that nobody has touched anything.
static u32 seed = 2463534242u;
__attribute__((unused)) static u32 chance(u32 n) {
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}
