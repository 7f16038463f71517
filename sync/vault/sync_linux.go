package vault

import (
	"os"
	"syscall"
)

// datasync makes a file's bytes durable, and of what is told of it only the size.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
