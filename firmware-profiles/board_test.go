package profiles

import (
	"strings"
	"testing"
)

func TestBoards(t *testing.T) {
	for _, b := range Boards() {
		if b.File != "boards/"+b.ID+".yaml" || b.Title.In("en") == b.Title.In("zh-CN") {
			t.Errorf("%s in %s, titles %+v", b.ID, b.File, b.Title)
		}
	}
	for _, test := range []struct{ model, port, want string }{
		{"Raspberry Pi 4 Model B Rev 1.4", "gpio:pin11,GPIO27", "gpio:pinctrl-bcm2711/17,pinctrl-bcm2711/27"},
		{"Raspberry Pi 5 Model B Rev 1.0", "gpio:GPIO17, pin13", "gpio:pinctrl-rp1/17,pinctrl-rp1/27"},
		{"Raspberry Pi 400 Rev 1.0", "gpio:pin3,pin40", "gpio:pinctrl-bcm2711/2,pinctrl-bcm2711/21"},
		{"Raspberry Pi 500 Rev 1.0", "gpio:GPIO0,GPIO1", "gpio:pinctrl-rp1/0,pinctrl-rp1/1"},
		{"Raspberry Pi 4 Model B", "gpio:pin1,GPIO28", "gpio:pin1,GPIO28"}, // no such pins: the kernel will say so
		{"Raspberry Pi 4 Model B", "gpio:gpiochip0/17,DOOR", "gpio:gpiochip0/17,DOOR"},
		{"Raspberry Pi 4 Model B", "gpio-periph:GPIO17,GPIO27", "gpio-periph:GPIO17,GPIO27"},
		{"Raspberry Pi 4 Model B", "/dev/ttyUSB0", "/dev/ttyUSB0"},
		{"Radxa ROCK 5B", "gpio:pin11,pin13", "gpio:pin11,pin13"},
		{"", "gpio:GPIO17,GPIO27", "gpio:GPIO17,GPIO27"},
	} {
		if got := BoardOf(test.model).Lines(test.port); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.model, test.port, got, test.want)
		}
	}
	if ThisBoard() == nil {
		t.Error("this computer has no board")
	}
}

func TestBadBoards(t *testing.T) {
	const head = "schema: 1\nid: test\ntitle: {en: Test, zh-CN: 测试}\n"
	for text, want := range map[string]string{
		"schema: 2\nid: test\ntitle: {en: T, zh-CN: 测}\n":                                     "board.yaml:1: schema: got 2",
		head + "pins: [{pin: 1, line: 2}]\n":                                                  "board.yaml:4: pins: belong to a chip",
		head + "chip: c\npins: [{pin: 0, line: 2}]\n":                                         "pin 0, line 2: want a pin of 1",
		head + "chip: c\npins: [{pin: 1, line: 2}, {pin: 1, line: 3}]\n":                      "one of them stands above",
		head + "chip: c\npins: [{pin: 1, line: 2}, {pin: 2, line: 2}]\n":                      "one of them stands above",
		head + "models: [\"\"]\n":                                                             "every computer's begins with",
		head + "prefix: \"17\"\n":                                                             "want letters",
		head + "colour: red\n":                                                                "colour",
		strings.Replace(head, "test", "No Good", 1):                                           "id: got",
		strings.Replace(head, "{en: Test, zh-CN: 测试}", "{en: Test, zh-CN: \"\"}", 1) + "x: 1": "x",
	} {
		if _, err := ParseBoard("board.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %s", text, err, want)
		}
	}
}

func FuzzParseBoard(f *testing.F) {
	for _, b := range Boards() {
		data, err := boardFiles.ReadFile(b.File)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "gpio:pin11,GPIO17")
	}
	f.Fuzz(func(t *testing.T, data []byte, port string) {
		b, err := ParseBoard("board.yaml", data)
		if err != nil {
			return
		}
		if got := b.Lines(port); strings.Count(got, ",") != strings.Count(port, ",") && !strings.Contains(b.Chip, ",") {
			t.Errorf("%q became %q", port, got)
		}
	})
}
