package warm

import (
	_ "cel.dev/cel-go/cel"
	_ "fyne.io/fyne/v2/app"
	_ "fyne.io/fyne/v2/widget"
	_ "github.com/chromedp/chromedp"
	_ "github.com/creack/pty"
	_ "github.com/eclipse/paho.mqtt.golang"
	_ "github.com/go-gl/glfw/v3.4/glfw"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/jezek/xgb"
	_ "github.com/mochi-mqtt/server/v2"
	_ "go.bug.st/serial"
	_ "go.etcd.io/bbolt"
	_ "go.yaml.in/yaml/v3"
	_ "golang.org/x/sys/unix"
	_ "modernc.org/sqlite"
	_ "periph.io/x/conn/v3/gpio"
	_ "periph.io/x/host/v3"
	_ "pgregory.net/rapid"
)
