package daemon

import (
	"os"
	"testing"

	"foyer/hq/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }
