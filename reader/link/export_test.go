package link

// For the tests of package link_test.
var (
	NewLines = newLines
	FindUSB  = findUSB
	Refused  = refused
	Trace    = trace
)
