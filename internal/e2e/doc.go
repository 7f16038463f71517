// Package e2e walks through the whole house as its people would: bytes on a wire, a look at the glass, a browser at
// reception and at headquarters, a broker of the field, power cuts and dead lines.
//
// In: the programs in bin/ and what Debian has (Xvfb, chromium, mosquitto, tesseract). Out: failing tests, and pictures
// of every screen in the artifacts folder.
// It holds no code that a program uses. Called by make test and make bench.
package e2e
