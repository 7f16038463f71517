package link

// For the tests of package link_test.
var (
	NewLines   = newLines
	FindUSB    = findUSB
	Refused    = refused
	Trace      = trace
	NewKernel  = newKernel
	OpenKernel = openKernel
	TraceChips = traceChips
)

// FindLine looks for a line on a chip of these names.
func FindLine(chipName, label string, lines []string, name string) (uint32, bool) {
	return chip{name: chipName, label: label, lines: lines}.find(name)
}
