//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer/post"
)

// usbPrinter is the store's end of the cable.
func usbPrinter() (*post.Post, error) {
	m, ok := profiles.FindPrinter("generic-58")
	if !ok {
		return nil, fmt.Errorf("no such printer")
	}
	return post.New(post.Config{Port: "/dev/usb/lp0", Model: m, Stalled: func(t post.Trouble) { fmt.Println("STANDS", t) }})
}

// ask says how the printer is.
func ask(settings) error {
	p, err := usbPrinter()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	t, err := p.Ask(ctx)
	fmt.Println("RESULT ask", t, err)
	return nil
}

// print sends a job of so many lines.
func print(s settings) error {
	p, err := usbPrinter()
	if err != nil {
		return err
	}
	var job strings.Builder
	for i := range s.cards {
		fmt.Fprintf(&job, "COUPON %d\n", i+1)
	}
	r := p.Print(context.Background(), []byte(job.String()))
	fmt.Printf("RESULT print outcome=%v trouble=%v sent=%v all=%v\n", r.Outcome, r.Trouble, r.Sent > 0, r.Sent == job.Len())
	return nil
}

// setPrinterStatus is GADGET_SET_PRINTER_STATUS of the kernel's printer gadget.
const setPrinterStatus = 0xC0016722

// gadget sets what the printer's end says of itself.
func gadget(s settings) error {
	f, err := os.OpenFile("/dev/g_printer0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.IoctlSetInt(int(f.Fd()), setPrinterStatus, s.cards)
}
