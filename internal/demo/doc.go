// Package demo plays a whole chain on one machine: headquarters, one store, two readers on pseudo-terminals, a kiosk and
// a wall, and one page on loopback that shows it all and has the buttons.
//
// In: the folder with the programs, a folder for data, an address for the page. Out: running programs, told apart by
// their own process groups, and their end within five seconds of the context's.
// It never reaches into a program: it starts them as an operator would, with files and flags, plays bytes on wires,
// cuts wires, kills processes, and looks at glass.
// Called by cmd/foyer (make demo) and by internal/e2e, which walks through the same house with stricter eyes.
package demo
